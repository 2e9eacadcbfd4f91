import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs SQL on Flink, in this process. Reads cases as JSON lines, {"settings": {key: value}, "statements": [text]}, and
 * answers each with one, {"rows": [text], "error": text or null, "running": whether it came from a running job}. Rows
 * are those of the queries and of `print` tables.
 */
public class Oracle {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long JOB_SECONDS = 300;
  private static final int SLOTS = 4; // Jobs that were given up may take theirs for a while.

  private final URI cluster;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final List<String> rows = Collections.synchronizedList(new ArrayList<>());
  private boolean running;

  public static void main(String[] words) throws Exception {
    PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
    BufferedReader cases = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    URI cluster = startCluster();
    for (String line; (line = cases.readLine()) != null; ) {
      answers.println(JSON.writeValueAsString(new Oracle(cluster).answer(JSON.readTree(line))));
    }
    System.exit(0); // Threads of jobs that were given up may still be there.
  }

  private Oracle(URI cluster) {
    this.cluster = cluster;
  }

  /** One for all cases: what Flink starts for each job of its own loads and compiles its classes anew. */
  private static URI startCluster() throws Exception {
    Configuration configuration = Configuration.fromMap(Map.of("rest.address", "localhost", "rest.bind-port", "0"));
    MiniClusterConfiguration.Builder builder = new MiniClusterConfiguration.Builder();
    builder.setConfiguration(configuration).setNumSlotsPerTaskManager(SLOTS);
    MiniCluster cluster = new MiniCluster(builder.build());
    cluster.start();
    return cluster.getRestAddress().get();
  }

  private Map<String, Object> answer(JsonNode test) throws Exception {
    System.setOut(new PrintStream(printed, true, "UTF-8"));
    String error = null;
    try {
      TableEnvironment environment = TableEnvironment.create(settings(test.get("settings")));
      for (JsonNode statement : test.get("statements")) {
        execute(environment, statement.asText());
      }
    } catch (Throwable thrown) {
      error = reason(thrown);
    }
    printed.toString("UTF-8").lines().forEach(rows::add);
    Map<String, Object> answer = new HashMap<>();
    answer.put("rows", new ArrayList<>(rows));
    answer.put("error", error);
    answer.put("running", running);
    return answer;
  }

  private EnvironmentSettings settings(JsonNode given) {
    Map<String, String> texts = new HashMap<>();
    texts.put("execution.target", "remote");
    texts.put("rest.address", cluster.getHost());
    texts.put("rest.port", String.valueOf(cluster.getPort()));
    given.properties().forEach(setting -> texts.put(setting.getKey(), setting.getValue().asText()));
    Configuration configuration = Configuration.fromMap(texts);
    return EnvironmentSettings.newInstance().withConfiguration(configuration).build();
  }

  private void execute(TableEnvironment environment, String statement) throws Exception {
    running = false;
    TableResult result = environment.executeSql(statement);
    JobClient job = result.getJobClient().orElse(null);
    if (job == null) {
      return; // A definition, or an EXPLAIN.
    }
    running = true;
    CompletableFuture<Void> end = CompletableFuture.runAsync(() -> drain(result, isQuery(statement)));
    try {
      end.get(JOB_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException late) {
      job.cancel();
      throw new TimeoutException("no end within " + JOB_SECONDS + " s");
    }
  }

  private static boolean isQuery(String statement) {
    return statement.toUpperCase().matches("(?s)(SELECT|WITH|VALUES|\\().*");
  }

  /** Until the job has ended. The rows of anything but a query are counts that nobody asked for. */
  private void drain(TableResult result, boolean query) {
    try {
      if (!query) {
        result.await();
        return;
      }
      try (CloseableIterator<Row> all = result.collect()) {
        all.forEachRemaining(row -> rows.add(row.toString()));
      }
    } catch (Exception failed) {
      throw new IllegalStateException("the job failed", failed);
    }
  }

  /** The last of the causes, which mostly says why. */
  private static String reason(Throwable thrown) {
    Throwable last = thrown;
    while (last.getCause() != null) {
      last = last.getCause();
    }
    return last.getClass().getSimpleName() + ": " + last.getMessage();
  }
}
