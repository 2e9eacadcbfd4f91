-- Each machine's temperature for a thin line: only the points that straight lines between them tell every reading by, to
-- within half a degree, and one at least every ten minutes. A slow curve of one reading a second becomes a few points an hour.

CREATE TABLE readings (
  machine     STRING,
  ts          TIMESTAMP_LTZ(3),
  temperature DOUBLE,
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

CREATE TABLE points (
  machine     STRING,
  ts          TIMESTAMP_LTZ(3),
  temperature DOUBLE
) WITH (
  'connector' = 'http',
  'url' = 'http://127.0.0.1:8080/points',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'body' = 'json-lines'
);

INSERT INTO points
SELECT machine, point.`timestamp`, point.`value`
FROM (
  SELECT machine, SWINGING_DOOR(temperature, ts, 0.5, INTERVAL '10' MINUTE) OVER (PARTITION BY machine ORDER BY ts) AS point
  FROM readings
)
WHERE point IS NOT NULL;
