-- Temperatures that rise or fall faster than 2 degrees a second, however far apart the readings are.

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

CREATE TABLE too_fast (
  machine            STRING,
  ts                 TIMESTAMP_LTZ(3),
  temperature        DOUBLE,
  degrees_per_second DOUBLE
) WITH (
  'connector' = 'sqlite',
  'retention.age' = '30 d'
);

INSERT INTO too_fast
SELECT machine, ts, temperature, ROUND(rate, 2)
FROM (
  SELECT
    machine, ts, temperature,
    (temperature - LAG(temperature) OVER w) * 1000 / NULLIF(millis - LAG(millis) OVER w, 0) AS rate
  FROM (
    SELECT *, EXTRACT(EPOCH FROM ts) * 1000 + EXTRACT(MILLISECOND FROM ts) AS millis
    FROM readings
    WHERE temperature IS NOT NULL
  )
  WINDOW w AS (PARTITION BY machine ORDER BY ts)
)
WHERE ABS(rate) > 2;
