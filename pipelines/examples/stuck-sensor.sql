-- Sensors that give the very same value for a minute, with at least 20 readings in it: a real one is never that still.

CREATE TABLE readings (
  machine     STRING,
  ts          TIMESTAMP_LTZ(3),
  temperature DOUBLE,
  vibration   DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'mqtt',
  'url' = 'tcp://127.0.0.1:1883',
  'topic' = 'site/mill/+/+',
  'qos' = '1',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'scan.watermark.idle-timeout' = '5 s'
);

CREATE TABLE stuck (
  machine     STRING,
  ts          TIMESTAMP_LTZ(3),
  temperature DOUBLE,
  readings    BIGINT
) WITH (
  'connector' = 'sqlite',
  'retention.age' = '30 d'
);

INSERT INTO stuck
SELECT machine, ts, temperature, readings
FROM (
  SELECT
    machine, ts, temperature, readings, still,
    LAG(still) OVER (PARTITION BY machine ORDER BY ts) AS was_still
  FROM (
    SELECT
      machine, ts, temperature,
      COUNT(temperature) OVER w AS readings,
      COUNT(temperature) OVER w >= 20 AND TIMESTAMPDIFF(SECOND, MIN(ts) OVER w, ts) >= 55
        AND MAX(temperature) OVER w = MIN(temperature) OVER w AS still
    FROM (SELECT * FROM readings WHERE temperature IS NOT NULL)
    WINDOW w AS (PARTITION BY machine ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW)
  )
)
WHERE still AND was_still IS NOT TRUE;
