"""Names of what reaches outside of the process: files, processes, network, databases."""

from __future__ import annotations

from typing import Final

FILE_FUNCTIONS: Final = """
    builtins.open builtins.input io.open codecs.open gzip.open bz2.open lzma.open tarfile.open
    zipfile.ZipFile fileinput.input linecache.getline glob.glob glob.iglob getpass.getpass
    aiofiles.open anyio.open_file shelve.open dbm.open
"""
_METHODS: Final = """
    chmod exists glob group hardlink_to is_block_device is_char_device is_dir is_fifo is_file
    is_mount is_socket is_symlink iterdir lchmod lstat mkdir open owner read_bytes read_text
    readlink rename replace rglob rmdir samefile stat symlink_to touch unlink walk write_bytes
    write_text
"""
PATH_METHODS: Final = " ".join(f"pathlib.Path().{name}" for name in _METHODS.split())
PROCESSES: Final = """
    subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output
    subprocess.getoutput subprocess.getstatusoutput subprocess.run pty.spawn sh.Command
    webbrowser.open
"""
_OF_OS: Final = """
    abort access chdir chmod chown close dup dup2 execl execle execlp execv execve execvp fdopen
    fork fstat fsync ftruncate kill killpg lchown link listdir lstat makedirs mkdir mkfifo open pipe
    popen posix_spawn read readlink remove removedirs rename renames replace rmdir scandir sendfile
    setsid spawnl spawnv spawnve stat startfile symlink sync system truncate unlink utime wait
    waitpid walk write putenv unsetenv
    """
OS_FUNCTIONS: Final = " ".join(f" os.{name}" for name in _OF_OS.split())
_OF_OS_PATH: Final = """
    abspath exists getatime getctime getmtime getsize isdir isfile islink ismount lexists realpath
    samefile
    """
OS_PATH_FUNCTIONS: Final = " ".join(f" os.path.{name}" for name in _OF_OS_PATH.split())
_VERBS: Final = "delete get head options patch post put request"
CLIENTS: Final = " ".join(
    (
        *(f"requests.{verb}" for verb in _VERBS.split()),
        *(f"requests.api.{verb}" for verb in _VERBS.split()),
        *(f"httpx.{verb}" for verb in _VERBS.split()),
        """
        requests.Session requests.session httpx.stream httpx.Client httpx.AsyncClient
        aiohttp.ClientSession aiohttp.request aiohttp.TCPConnector
        urllib.request.urlopen urllib.request.urlretrieve urllib.request.build_opener
        urllib3.PoolManager urllib3.HTTPConnectionPool urllib3.HTTPSConnectionPool urllib3.request
        http.client.HTTPConnection http.client.HTTPSConnection websockets.connect
        boto3.client boto3.resource boto3.Session boto3.session.Session
        botocore.session.get_session botocore.session.Session aioboto3.Session
        aiobotocore.session.get_session google.cloud.storage.Client
        socket.socket socket.create_connection socket.create_server socket.socketpair
        socket.getaddrinfo socket.gethostbyname socket.gethostbyaddr socket.gethostbyname_ex
        sqlite3.connect psycopg.connect psycopg.Connection.connect psycopg.AsyncConnection.connect
        psycopg_pool.ConnectionPool psycopg_pool.AsyncConnectionPool
        psycopg2.connect asyncpg.connect asyncpg.create_pool aiosqlite.connect aiomysql.connect
        pymysql.connect MySQLdb.connect mysql.connector.connect pyodbc.connect oracledb.connect
        duckdb.connect snowflake.connector.connect
        sqlalchemy.create_engine sqlalchemy.ext.asyncio.create_async_engine
        sqlalchemy.orm.Session sqlalchemy.orm.sessionmaker
        redis.Redis redis.StrictRedis redis.from_url redis.Redis.from_url redis.asyncio.Redis
        redis.asyncio.from_url redis.asyncio.Redis.from_url
        pymongo.MongoClient motor.motor_asyncio.AsyncIOMotorClient elasticsearch.Elasticsearch
        kafka.KafkaProducer kafka.KafkaConsumer pika.BlockingConnection
        smtplib.SMTP smtplib.SMTP_SSL smtplib.LMTP aiosmtplib.send ftplib.FTP ftplib.FTP_TLS
        imaplib.IMAP4 imaplib.IMAP4_SSL poplib.POP3 poplib.POP3_SSL telnetlib.Telnet
        paramiko.SSHClient openai.OpenAI openai.AsyncOpenAI anthropic.Anthropic
        anthropic.AsyncAnthropic stripe.Charge.create
        """,
    )
)
