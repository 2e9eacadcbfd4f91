-- What each machine did, every five seconds: the readings of all machines of the mill, one row per machine and window,
-- posted as JSON lines to the plant's server.
--
-- The readings may be up to two seconds out of order; whatever comes later than that is late and counted. When all
-- machines are silent for five seconds the last windows close all the same.

CREATE TABLE readings (
  machine     STRING,
  ts          TIMESTAMP_LTZ(3),
  temperature DOUBLE,
  vibration   DOUBLE,
  power       DOUBLE,
  line        STRING METADATA VIRTUAL,                 -- from the topic, see 'topic.pattern'
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'mqtt',
  'url' = 'tcp://127.0.0.1:1883',
  'topic' = 'site/mill/+/+',
  'topic.pattern' = 'site/{site}/{line}/{machine_id}',
  'qos' = '1',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'scan.watermark.idle-timeout' = '5 s'
);

CREATE TABLE upstream (
  line            STRING,
  machine         STRING,
  window_start    TIMESTAMP(3),
  window_end      TIMESTAMP(3),
  readings        BIGINT,
  temperature_avg DOUBLE,
  temperature_max DOUBLE,
  vibration_max   DOUBLE,
  power_avg       DOUBLE
) WITH (
  'connector' = 'http',
  'url' = 'http://127.0.0.1:8080/windows',
  'format' = 'json',
  'body' = 'json-lines'
);

INSERT INTO upstream
SELECT line, machine, window_start, window_end,
       COUNT(*), AVG(temperature), MAX(temperature), MAX(vibration), AVG(power)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '5' SECOND))
GROUP BY line, machine, window_start, window_end;
