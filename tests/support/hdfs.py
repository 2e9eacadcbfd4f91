"""A real HDFS cluster on loopback: Apache Hadoop's name node and one data node, with WebHDFS, plain and by TLS."""

import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import maven
from ports import free_port
from processes import Failure, Program, eventually

VERSION = "3.4.1"
JAVA = ("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--add-opens", "java.base/java.lang=ALL-UNNAMED")
PASSWORD = "changeit"
LOGGING = """log4j.rootLogger=INFO,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d{ISO8601} %p %c: %m%n
"""
HADOOP = "org.apache.hadoop"


def configuration(properties: dict[str, object]) -> str:
    lines = [f"<property><name>{name}</name><value>{value}</value></property>" for name, value in properties.items()]
    return "<configuration>\n" + "\n".join(lines) + "\n</configuration>\n"


class Hdfs:
    """Who asks is believed to be whom they say they are; the files are root's unless the test says otherwise."""

    def __init__(self, folder: pathlib.Path):
        """Raises maven.NoJava."""
        jars = maven.libraries(
            "hdfs", VERSION, *(f"{HADOOP}:{part}:{VERSION}" for part in ("hadoop-hdfs", "hadoop-hdfs-client", "hadoop-common"))
        )
        self.folder = folder
        self.conf = folder / "conf"
        self.ports = {name: free_port() for name in ("rpc", "http", "https", "data", "data_ipc", "data_http", "data_https")}
        self.class_path = f"{self.conf}:{jars}/*"
        self.ca_file = folder / "ca.pem"
        self._configure()
        self._java("format", "org.apache.hadoop.hdfs.server.namenode.NameNode", "-format", "-nonInteractive").process.wait(60)
        self.name_node: Program | None = None
        self.data_node: Program | None = None
        self.start_name_node()
        self.start_data_node()
        self.wait_ready()

    # ---- the servers

    def _configure(self) -> None:
        at = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        for web in ("hdfs", "datanode"):
            (self.conf / "webapps" / web / "WEB-INF").mkdir(parents=True)
            (self.conf / "webapps" / web / "WEB-INF" / "web.xml").write_text('<web-app version="2.4"/>')
        (self.conf / "webapps" / "static").mkdir()
        (self.conf / "log4j.properties").write_text(LOGGING)
        (self.conf / "core-site.xml").write_text(configuration({"fs.defaultFS": f"hdfs://{at['rpc']}"}))
        (self.conf / "hdfs-site.xml").write_text(
            configuration(
                {
                    "dfs.namenode.name.dir": self.folder / "name",
                    "dfs.datanode.data.dir": self.folder / "data",
                    "dfs.namenode.rpc-address": at["rpc"],
                    "dfs.namenode.http-address": at["http"],
                    "dfs.namenode.https-address": at["https"],
                    "dfs.datanode.address": at["data"],
                    "dfs.datanode.ipc.address": at["data_ipc"],
                    "dfs.datanode.http.address": at["data_http"],
                    "dfs.datanode.https.address": at["data_https"],
                    "dfs.datanode.hostname": "127.0.0.1",
                    "dfs.http.policy": "HTTP_AND_HTTPS",
                    "dfs.replication": 1,
                    "dfs.heartbeat.interval": 1,
                    "dfs.namenode.safemode.extension": 0,
                    "dfs.ls.limit": 3,  # A list comes in parts.
                }
            )
        )
        self._make_certificate()

    def _make_certificate(self) -> None:
        store = self.folder / "keys.p12"
        common = ["-keystore", store, "-storetype", "PKCS12", "-storepass", PASSWORD, "-alias", "node"]
        subprocess.run(
            ["keytool", "-genkeypair", *common, "-keyalg", "EC", "-dname", "CN=hdfs", "-ext", "SAN=IP:127.0.0.1"],
            check=True, capture_output=True,
        )  # fmt: skip
        shown = subprocess.run(["keytool", "-exportcert", "-rfc", *common], check=True, capture_output=True)
        self.ca_file.write_bytes(shown.stdout)
        (self.conf / "ssl-server.xml").write_text(
            configuration(
                {
                    "ssl.server.keystore.location": store,
                    "ssl.server.keystore.type": "PKCS12",
                    "ssl.server.keystore.password": PASSWORD,
                    "ssl.server.keystore.keypassword": PASSWORD,
                    "ssl.server.truststore.location": store,
                    "ssl.server.truststore.type": "PKCS12",
                    "ssl.server.truststore.password": PASSWORD,
                }
            )
        )

    def _java(self, name: str, *words: str) -> Program:
        command = ["java", *JAVA, "-cp", self.class_path, *words]
        return Program(name, command, self.folder / f"{name}.log", start_new_session=True)

    def start_name_node(self) -> None:
        self.name_node = self._java("name-node", "org.apache.hadoop.hdfs.server.namenode.NameNode")

    def start_data_node(self) -> None:
        self.data_node = self._java("data-node", "org.apache.hadoop.hdfs.server.datanode.DataNode")

    def wait_ready(self) -> None:
        """Until files can be written."""

        def ready() -> bool:
            for program in (self.name_node, self.data_node):
                if not program.running:
                    raise Failure(f"the {program.name} has ended:\n{program.output()[-2000:]}")
            try:
                self.write("/ready", b"ready")
            except (OSError, Refused):
                return False
            return True

        eventually(ready, "the HDFS cluster answers", 90)

    def close(self) -> None:
        for program in (self.data_node, self.name_node):
            if program is not None and program.running:
                program.stop(signal.SIGKILL)

    # ---- its files

    def url(self, path: str) -> str:
        return f"webhdfs://127.0.0.1:{self.ports['http']}{path}"

    def tls_url(self, path: str) -> str:
        return f"swebhdfs://127.0.0.1:{self.ports['https']}{path}"

    def _ask(self, method: str, path: str, operation: str, body: bytes | None = None, user: str = "root", **more) -> bytes:
        query = urllib.parse.urlencode({"op": operation, "user.name": user, **more})
        url = f"http://127.0.0.1:{self.ports['http']}/webhdfs/v1{urllib.parse.quote(path)}?{query}"
        return _send(method, url, body)

    def write(self, path: str, content: bytes, **more) -> None:
        self._ask("PUT", path, "CREATE", content, overwrite="true", **more)

    def append(self, path: str, content: bytes) -> None:
        self._ask("POST", path, "APPEND", content)

    def rename(self, path: str, to: str) -> None:
        self._ask("PUT", path, "RENAME", destination=to)

    def remove(self, path: str) -> None:
        self._ask("DELETE", path, "DELETE")

    def truncate(self, path: str, length: int) -> None:
        self._ask("POST", path, "TRUNCATE", newlength=length)

    def make_folder(self, path: str, **more) -> None:
        self._ask("PUT", path, "MKDIRS", **more)

    def permit(self, path: str, permission: str) -> None:
        self._ask("PUT", path, "SETPERMISSION", permission=permission)

    def read(self, path: str) -> bytes:
        return self._ask("GET", path, "OPEN")

    def files(self, folder: str) -> list[str]:
        """All below it, hidden ones too, by their whole paths; none: it is not there."""
        try:
            answer = json.loads(self._ask("GET", folder, "LISTSTATUS"))
        except Refused as refused:
            if "FileNotFoundException" in str(refused):
                return []
            raise
        paths = []
        for status in answer["FileStatuses"]["FileStatus"]:
            path = f"{folder}/{status['pathSuffix']}"
            paths += self.files(path) if status["type"] == "DIRECTORY" else [path]
        return sorted(paths)

    def published(self, folder: str) -> list[str]:
        return [path for path in self.files(folder) if not os.path.basename(path).startswith((".", "_"))]


class Refused(Exception):
    """The cluster's answer, as text."""


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def _send(method: str, url: str, body: bytes | None) -> bytes:
    """Goes on to a data node with the body, as urllib would not."""
    opener = urllib.request.build_opener(_Stay)
    for sent in (None, body):
        request = urllib.request.Request(url, sent, method=method)
        if sent is not None:
            request.add_header("Content-Type", "application/octet-stream")
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.read()
        except urllib.error.HTTPError as other:
            if other.code != 307:
                raise Refused(other.read().decode()) from None
            url = other.headers["Location"]
    raise Failure(f"{url} sends on for ever")
