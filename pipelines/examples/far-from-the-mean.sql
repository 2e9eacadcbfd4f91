-- Readings that are more than four standard deviations from the mean of the hundred before them: a z-score in plain SQL. The
-- frame ends with the row itself, so its own share of mean and spread is taken out again.

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

CREATE TABLE far_off (
  machine     STRING,
  ts          TIMESTAMP_LTZ(3),
  temperature DOUBLE,
  mean        DOUBLE,
  z           DOUBLE
) WITH (
  'connector' = 'sqlite',
  'retention.age' = '30 d'
);

INSERT INTO far_off
SELECT machine, ts, temperature, ROUND(mean, 2), ROUND((temperature - mean) / deviation, 2)
FROM (
  SELECT
    machine, ts, temperature,
    (total - temperature) / (n - 1) AS mean,
    SQRT(GREATEST(
      (squares - temperature * temperature) / (n - 1) - POWER((total - temperature) / (n - 1), 2), 0.000001
    )) AS deviation
  FROM (
    SELECT
      machine, ts, temperature,
      COUNT(temperature) OVER w AS n,
      SUM(temperature) OVER w AS total,
      SUM(temperature * temperature) OVER w AS squares
    FROM readings
    WINDOW w AS (PARTITION BY machine ORDER BY ts ROWS BETWEEN 100 PRECEDING AND CURRENT ROW)
  )
  WHERE n > 20
)
WHERE ABS(temperature - mean) > 4 * deviation;
