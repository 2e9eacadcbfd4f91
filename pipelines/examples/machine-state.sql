-- The last state of each machine as a table that anybody can query with plain SQL, with the hall and the limit that a
-- list of machines gives it: leat table load machines.csv --table machines

CREATE TABLE readings (
  machine     STRING,
  ts          TIMESTAMP_LTZ(3),
  temperature DOUBLE,
  vibration   DOUBLE,
  proctime AS PROCTIME(),
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

CREATE TABLE machines (
  machine STRING,
  hall    STRING,
  hottest DOUBLE,
  PRIMARY KEY (machine) NOT ENFORCED
) WITH ('connector' = 'sqlite');

CREATE TABLE machine_state (
  machine     STRING,
  hall        STRING,
  readings    BIGINT,
  temperature DOUBLE,
  too_hot     BOOLEAN,
  last_seen   TIMESTAMP_LTZ(3),
  PRIMARY KEY (machine) NOT ENFORCED
) WITH (
  'connector' = 'sqlite',
  'retention.age' = '30 d'
);

INSERT INTO machine_state
SELECT machine, LAST_VALUE(hall), COUNT(*), LAST_VALUE(temperature), LAST_VALUE(temperature > hottest), MAX(ts)
FROM (
  SELECT r.machine, m.hall, m.hottest, r.temperature, r.ts
  FROM readings AS r
  LEFT JOIN machines FOR SYSTEM_TIME AS OF r.proctime AS m ON r.machine = m.machine
)
GROUP BY machine;
