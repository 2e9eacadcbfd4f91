-- What each machine has never done before: temperature alone, by the detector that needs nothing set, and temperature and
-- vibration together, where each may be usual but both at once are not.

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

CREATE TABLE unusual (
  machine  STRING,
  ts       TIMESTAMP_LTZ(3),
  what     STRING,
  actual   DOUBLE,
  expected DOUBLE,
  score    DOUBLE
) WITH (
  'connector' = 'sqlite',
  'retention.age' = '30 d'
);

CREATE TEMPORARY VIEW judged AS
SELECT
  machine, ts,
  ML_DETECT_ANOMALIES(temperature, ts, JSON_OBJECT('history' VALUE 2048)) OVER w AS alone,
  ML_DETECT_ANOMALIES(
    ROW(temperature, vibration), ts, JSON_OBJECT('method' VALUE 'half_space_trees', 'cooldown' VALUE 120)
  ) OVER w AS together
FROM readings
WINDOW w AS (PARTITION BY machine ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);

EXECUTE STATEMENT SET BEGIN
INSERT INTO unusual
SELECT machine, ts, 'temperature', alone.actual_value, ROUND(alone.forecast_value, 1), ROUND(alone.anomaly_score, 4)
FROM judged WHERE alone.is_anomaly;
INSERT INTO unusual
SELECT machine, ts, 'temperature and vibration', CAST(NULL AS DOUBLE), CAST(NULL AS DOUBLE), ROUND(together.anomaly_score, 4)
FROM judged WHERE together.is_anomaly;
END;
