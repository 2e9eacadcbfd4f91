-- Vibration that stays a little too high for long: a CUSUM by MATCH_RECOGNIZE. What a reading is above 1.2 is summed; the sum
-- begins anew where it would fall below 0, and is a drift where it reaches 5.

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

CREATE TABLE drifts (
  machine  STRING,
  since    TIMESTAMP_LTZ(3),
  ts       TIMESTAMP_LTZ(3),
  readings BIGINT,
  excess   DOUBLE
) WITH (
  'connector' = 'sqlite',
  'retention.age' = '30 d'
);

INSERT INTO drifts
SELECT machine, since, ts, readings, ROUND(excess, 2)
FROM readings
MATCH_RECOGNIZE (
  PARTITION BY machine
  ORDER BY ts
  MEASURES
    COALESCE(FIRST(RISING.ts), DRIFT.ts) AS since,
    DRIFT.ts AS ts,
    COUNT(RISING.vibration) + 1 AS readings,
    COALESCE(SUM(RISING.vibration - 1.2), 0) + DRIFT.vibration - 1.2 AS excess
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (RISING* DRIFT)
  DEFINE
    RISING AS SUM(RISING.vibration - 1.2) > 0 AND SUM(RISING.vibration - 1.2) < 5,
    DRIFT AS COALESCE(SUM(RISING.vibration - 1.2), 0) + DRIFT.vibration - 1.2 >= 5
);
