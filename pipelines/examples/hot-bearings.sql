-- Machines that run hot: vibration and temperature over the last ten seconds, looked at every two seconds; only windows
-- in which a bearing is both warm and rough go upstream.

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

CREATE TABLE alarms (
  machine      STRING,
  window_start TIMESTAMP(3),
  window_end   TIMESTAMP(3),
  temperature  DOUBLE,
  vibration    DOUBLE
) WITH (
  'connector' = 'http',
  'url' = 'http://127.0.0.1:8080/alarms',
  'format' = 'json',
  'body' = 'json-array'
);

INSERT INTO alarms
SELECT machine, window_start, window_end, AVG(temperature), AVG(vibration)
FROM TABLE(HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
GROUP BY machine, window_start, window_end
HAVING AVG(vibration) > 2.5 AND AVG(temperature) > 65;
