#!/usr/bin/env python3
"""Real applications as containers, each asked by a client outside or by its own tests, with runc and with sbx, and compared.

    tests/docker/apps.py [-k WORD] [-v]

With SBX_WRITE_DOCS=1 the table in docs/docker.md is written anew; a row that was not asked for keeps its line. WORD is a regular
expression. The applications come from one root (sbx_apps_root in
deploy/lib.sh); clients run in it by chroot, outside of any container, in the engine's network namespace. A row prints what
has to be the same: answers, counts and sums, never times."""
import hashlib, http.client, os, re, shutil, socket, subprocess, sys, threading, time
import engine as engines
from engine import TOP, Engine, clean, enter
from table import Try, parse, report

APPS = os.environ.get('SBX_APPS_ROOT') or os.path.join(os.environ.get('SBX_CACHE', '/var/cache/sbx'), 'apps-bookworm')
IMAGE = 'sbx-apps'
PAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'apps.d')
ROWS = []


class Row:
    def __init__(self, option, shows, fn, differs):
        self.area, self.option, self.shows, self.fn, self.differs = 'applications', option, shows, fn, differs


def row(option, shows, differs=None):
    def add(fn):
        ROWS.append(Row(option, shows, fn, differs))
        return fn
    return add


class App(Try):
    """One runtime, for one row: a container and its clients."""
    image = IMAGE

    def serve(self, script, port, *args, timeout=60):
        """A container that runs script; its name and address, once the port answers."""
        name = self.up('-v', f'{PAGES}:/app:ro', *args, command=('sh', '-c', script))
        address = self.get(name, '.NetworkSettings.IPAddress')
        deadline = time.time() + timeout
        while time.time() < deadline:
            try:
                socket.create_connection((address, port), 2).close()
                return name, address
            except OSError:
                if self.get(name, '.State.Running') != 'true':
                    break
                time.sleep(0.2)
        raise RuntimeError(f'port {port} does not answer: {self.text(self.docker("logs", name))[-2000:]}')

    def client(self, *command, timeout=120, input=None, env=None):
        """A program of the root, run outside of any container."""
        p = subprocess.run(['chroot', APPS, *command], capture_output=True, text=True, errors='replace', timeout=timeout, input=input,
                           env={'PATH': engines.PATH, 'HOME': '/tmp', 'LC_ALL': 'C', **(env or {})})
        return f'{p.stdout}{p.stderr}[{p.returncode}]'

    def get_url(self, address, port, path='/', method='GET', body=None, headers={}):
        c = http.client.HTTPConnection(address, port, timeout=30)
        c.request(method, path, body, headers)
        r = c.getresponse()
        data = r.read()
        c.close()
        return f'{r.status} {data.decode(errors="replace") if len(data) < 200 else hashlib.sha256(data).hexdigest()[:16]}\n'

    def many(self, address, port, path, clients=20, each=20):
        """Requests side by side: how many answers of each kind."""
        seen, lock = {}, threading.Lock()
        def ask():
            for _ in range(each):
                try:
                    got = self.get_url(address, port, path).split('\n')[0]
                except OSError as e:
                    got = type(e).__name__
                with lock:
                    seen[got] = seen.get(got, 0) + 1
        threads = [threading.Thread(target=ask) for _ in range(clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return f'{sorted(seen.items())}\n'

    def ended(self, name, *how):
        """Stops it in the usual way, and what it ended with."""
        self.docker('stop', '-t', '20', *how, name)
        return f'ended {self.get(name, ".State.ExitCode")}\n'


# ---- servers ------------------------------------------------------------------------------------------------------

@row('nginx', 'pages, ranges, 400 requests side by side, reload, log, a graceful end')
def _(t):
    name, a = t.serve('head -c 9000000 /usr/lib/gcc/x86_64-linux-gnu/12/cc1 >/var/www/html/big; exec nginx -g "daemon off;"', 80)
    out = t.get_url(a, 80, '/big') + t.get_url(a, 80, '/none', 'HEAD') + t.get_url(a, 80, '/big', headers={'Range': 'bytes=100-50000'})
    out += t.get_url(a, 80, '/', 'POST', b'x' * 100) + t.many(a, 80, '/index.nginx-debian.html')
    out += t.exec(name, 'nginx -t; nginx -s reload 2>&1 | grep -c "signal process started"; sleep 1') + t.many(a, 80, '/big', 4, 2)
    out += t.exec(name, 'wc -l </var/log/nginx/access.log; wc -c </var/log/nginx/error.log; pgrep -c nginx')
    w = t.client('wrk', '-t2', '-c50', '-d3s', f'http://{a}/index.nginx-debian.html')
    out += f'wrk: errors {re.findall("Socket errors.*|Non-2xx.*", w)}, answers {bool(re.search("[1-9][0-9]* requests in", w))}\n'
    return out + t.ended(name)

POSTGRES = '''
c=/etc/postgresql/15/main
echo "host all all 0.0.0.0/0 trust" >>$c/pg_hba.conf
echo "listen_addresses='*'" >>$c/postgresql.conf
exec setpriv --reuid postgres --regid postgres --init-groups /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=$c/postgresql.conf'''

@row('PostgreSQL', 'pgbench of 8 clients, sums, LISTEN, parallel query, kill -9 and recovery, an orderly end')
def _(t):
    name, a = t.serve(POSTGRES, 5432)
    ask = ('-h', a, '-U', 'postgres')
    sql = lambda q: t.client('psql', *ask, '-Atc', q)
    t.wait_for(lambda: sql('select 1'), '1\n[0]', 30)
    b = t.client('pgbench', *ask, '-i', '-q', '-s', '4', 'postgres', timeout=200)
    out = f'filled {b.endswith("[0]")}\n'
    b = t.client('pgbench', *ask, '-c', '8', '-j', '2', '-t', '150', 'postgres', timeout=200)
    out += f'{re.findall("actually processed.*|failed transactions.*", b)} {b[-3:]}\n'
    sums = 'select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history), count(*) from pgbench_history'
    out += sql(sums)
    b = t.client('pgbench', *ask, '-S', '-C', '-c', '8', '-t', '20', 'postgres', timeout=200)
    out += f'{re.findall("actually processed.*|failed transactions.*", b)} {b[-3:]}\n'
    out += sql('set max_parallel_workers_per_gather=2; set min_parallel_table_scan_size=0; set parallel_setup_cost=0; select sum(hashtext(filler)) from pgbench_accounts')
    out += t.client('psql', *ask, '-At', input='create table t as select i, md5(i::text) m from generate_series(1,50000) i; create index on t(m);'
                    "select count(*) from t where m like 'ab%'; vacuum full analyze t; checkpoint; select pg_size_pretty(pg_relation_size('t'));"
                    "copy (select * from t where i < 4) to stdout; select count(*) from pg_stat_activity where backend_type = 'client backend';")
    out += re.sub(r'PID \d+', 'PID', t.client('psql', *ask, '-At', input="listen ch; select pg_notify('ch', 'first');\nselect 1;\n"))
    t.docker('kill', name)
    t.docker('start', name)
    a = t.get(name, '.NetworkSettings.IPAddress')
    ask = ('-h', a, '-U', 'postgres')
    t.wait_for(lambda: sql('select 1'), '1\n[0]', 30)
    out += 'after kill -9: ' + sql(sums) + f' recovered {"redo done" in t.text(t.docker("logs", name))}\n'
    return out + t.ended(name)

@row("PostgreSQL's tests", 'pg_regress over the whole parallel schedule of 217 tests, and the isolation tests')
def _(t):
    bin, lib = '/usr/lib/postgresql/15/bin', '/usr/lib/postgresql/15/lib/pgxs/src/test'
    out = t.sh(f'''cp -a /srv/postgres /tmp/pg; chown -R postgres /tmp/pg; exec setpriv --reuid postgres --regid postgres --init-groups sh -c '
        export HOME=/tmp LC_ALL=C; cd /tmp/pg; {bin}/initdb -D /tmp/data -A trust >/tmp/log && {bin}/pg_ctl -w -D /tmp/data -l /tmp/server -o "-k /tmp -c shared_buffers=64MB -c fsync=off" start >>/tmp/log || exit 1
        cd regress; {lib}/regress/pg_regress --host=/tmp --inputdir=. --outputdir=/tmp/pg --dlpath=/tmp/pg/regress --bindir={bin} --schedule=parallel_schedule --max-connections=8 >/tmp/log 2>&1
        echo $?; grep -E "^(test|    ).*FAILED|^ All|of .* tests" /tmp/log; head -60 /tmp/pg/regression.diffs
        cd ../isolation; {lib}/isolation/pg_isolation_regress --host=/tmp --inputdir=. --outputdir=/tmp/pg --bindir={bin} --schedule=isolation_schedule >/tmp/log 2>&1
        echo $?; grep -E "FAILED|^ All|of .* tests" /tmp/log; {bin}/pg_ctl -w -D /tmp/data stop; grep -cE "PANIC|terminated by signal" /tmp/server' ''', timeout=900)
    return re.sub(r'\d+ ms', '', out)

@row('Redis', 'redis-benchmark, Lua, publish, BGSAVE, the append-only file written anew, data after a restart')
def _(t):
    name, a = t.serve('cd /tmp; exec redis-server --bind 0.0.0.0 --protected-mode no --appendonly yes --save 900 1', 6379)
    cli = lambda *c: t.client('redis-cli', '-h', a, *c)
    b = t.client('redis-benchmark', '-h', a, '-q', '-n', '3000', '-c', '20', '-P', '4', '--csv', '-t', 'set,get,incr,lpush,lpop,sadd,hset,zadd,lrange_100,mset', timeout=200)
    out = f'{re.findall(chr(34) + "([A-Z]+[^" + chr(34) + "]*)" + chr(34) + ",", b)} {b[-3:]}\n'
    out += cli('mset', 'a', '1', 'b', '2') + cli('eval', "return redis.call('get', KEYS[1]) .. redis.call('dbsize')", '1', 'b')
    out += cli('xadd', 's', '1-1', 'k', 'v') + cli('publish', 'c', 'm')
    out += cli('bgsave')
    out += t.wait_for(lambda: ' '.join(re.findall('rdb_bgsave_in_progress:.|rdb_last_bgsave_status:..', cli('info', 'persistence'))),
                      'rdb_bgsave_in_progress:0 rdb_last_bgsave_status:ok') + cli('bgrewriteaof')
    out += t.wait_for(lambda: ' '.join(re.findall('aof_rewrite_in_progress:.|aof_last_bgrewrite_status:..', cli('info', 'persistence'))),
                      'aof_rewrite_in_progress:0 aof_last_bgrewrite_status:ok')
    out += t.ended(name)
    t.docker('start', name)
    a = t.get(name, '.NetworkSettings.IPAddress')
    out += t.wait_for(lambda: cli('get', 'a'), '1\n[0]') + cli('get', 'counter:__rand_int__') + cli('dbsize')
    return out + t.ended(name)

@row('gunicorn (Python WSGI)', 'three workers, bodies of 3 MB, a killed worker comes again, HUP, TTIN, a graceful end')
def _(t):
    name, a = t.serve('cd /app; exec gunicorn -w 3 -b 0.0.0.0:8000 wsgi:app', 8000)
    out = t.get_url(a, 8000, '/hello?x=1') + t.get_url(a, 8000, '/sum', 'POST', b'abc' * 1000000) + t.many(a, 8000, '/hello')
    workers = 'pgrep -c gunicorn'
    t.exec(name, 'kill -9 $(pgrep gunicorn | tail -1)')
    out += t.wait_for(lambda: t.exec(name, workers), '4\n[0]')
    # HUP takes back what TTIN did: the second is sent when all workers are new
    old = set(t.exec(name, 'pgrep -P 1 gunicorn').split())
    out += t.text(t.docker('kill', '-s', 'HUP', name)).replace(name, 'NAME')
    new = lambda: set(t.exec(name, 'pgrep -P 1 gunicorn').split())
    out += str(t.wait_for(lambda: (len(new()), len(new() & old)), (4, 1)))
    out += t.text(t.docker('kill', '-s', 'TTIN', name)).replace(name, 'NAME')
    return out + t.wait_for(lambda: t.exec(name, workers), '5\n[0]') + t.many(a, 8000, '/hello') + t.ended(name)

@row('asyncio service (Python)', '300 connections side by side, subprocesses, timers, a thread pool, a signal handler')
def _(t):
    name, a = t.serve('exec python3 /app/aio.py', 7000)
    socks = [socket.create_connection((a, 7000), 20) for _ in range(300)]
    for i, s in enumerate(socks):
        s.settimeout(30)
        s.sendall(f'sum {i}\n'.encode())
    got = sum(int(s.makefile().readline()) for s in socks)
    out = f'{got}\n'
    for verb in ('child', 'pool', 'timer', 'file', 'udp', 'count'):
        socks[0].sendall(f'{verb}\n'.encode())
        out += verb + ' ' + socks[0].makefile().readline()
    for s in socks:
        s.close()
    out += t.ended(name)
    return out + t.text(t.docker('logs', name))

@row('Node', 'npm install of a project (qs) from its cache, and its tests', differs=None)
def _(t):
    npm = 'node /srv/npm/npm/bin/npm-cli.js'
    out = t.sh(f'cp -a /srv/npm/package /srv/npm/cache /tmp/ && cd /tmp/package && {npm} install --offline --cache /tmp/cache --ignore-scripts --no-audit --no-fund'
               ' >/tmp/log 2>&1; echo $?; tail -3 /tmp/log; find node_modules -type f | wc -l; node node_modules/tape/bin/tape "test/**/*.js" | tail -5', timeout=400)
    return re.sub(r'in \d+m?s', '', out)

@row('Node service', 'http with a cluster of workers, worker threads, crypto, zlib, child processes, fs.watch')
def _(t):
    name, a = t.serve('exec node /app/service.js', 8080)
    out = ''.join(t.get_url(a, 8080, p) for p in ('/', '/threads', '/crypto', '/zlib', '/child', '/watch', '/dns'))
    return out + t.many(a, 8080, '/') + t.ended(name)

@row('JVM', 'javac, com.sun.net.httpserver with 300 threads, locks, nio files, processes; jstack and jcmd')
def _(t):
    name, a = t.serve('cd /tmp && javac -d . /app/Service.java && exec java -Xmx256m Service', 8000, timeout=120)
    out = ''.join(t.get_url(a, 8000, p) for p in ('/', '/threads', '/files', '/process', '/gc', '/virtual'))
    out += t.many(a, 8000, '/') + t.exec(name, 'jstack 1 | grep -c "pool-1-thread"; jcmd 1 GC.heap_info | grep -c used; jcmd 1 VM.version | tail -1', timeout=100)
    return out + t.ended(name)

@row('PHP', 'php -S with four workers: pages, sessions, streams, files, processes')
def _(t):
    name, a = t.serve('cd /tmp; exec php -S 0.0.0.0:8000 /app/index.php', 8000, '-e', 'PHP_CLI_SERVER_WORKERS=4')
    out = ''.join(t.get_url(a, 8000, p) for p in ('/hello?x=1', '/proc', '/stream', '/files', '/fork'))
    return out + t.get_url(a, 8000, '/post', 'POST', 'a=1&b=' + 'y' * 100000, {'Content-Type': 'application/x-www-form-urlencoded'}) + t.many(a, 8000, '/hello') + t.ended(name)

@row('Ruby', 'WEBrick: pages, threads, fork, pipes, signals')
def _(t):
    name, a = t.serve('exec ruby /app/service.rb', 8000)
    out = ''.join(t.get_url(a, 8000, p) for p in ('/hello', '/threads', '/fork', '/pty', '/files', '/udp'))
    return out + t.many(a, 8000, '/hello') + t.ended(name)

# ---- building -----------------------------------------------------------------------------------------------------

@row('gcc and make', 'Redis from its source with -j2, then what was built, run', differs=None)
def _(t):
    return t.sh('cp -a /srv/redis/src /tmp/r && cd /tmp/r && make -j2 MALLOC=libc BUILD_TLS=no OPTIMIZATION=-O1 >/tmp/log 2>&1; echo $?;'
                'find . -name "*.o" | wc -l; sha256sum src/dict.o src/t_zset.o | cut -c1-16; src/redis-server --port 7777 --daemonize yes >/dev/null;'
                'sleep 2; src/redis-benchmark -p 7777 -n 2000 -q -t set,get | grep -c "requests per"; src/redis-cli -p 7777 shutdown; tail -1 /tmp/log | cut -c1-60', timeout=560)

GO = '/usr/local/go'

def go_test(t, packages):
    if not os.path.isdir(GO):
        return 'no Go here'
    out = t.run('-v', f'{GO}:{GO}:ro', '-e', 'GOFLAGS=-buildvcs=false', '-e', 'GOTOOLCHAIN=local', '-e', 'GOPROXY=off', command=(
        'sh', '-c', f'export PATH=$PATH:{GO}/bin; cd {GO}/src && go test -short -vet=off {packages} 2>&1'), timeout=900)
    lines = re.findall(r'(?m)^(?:ok  |FAIL|--- FAIL:|panic:|\?   ).*|^\[\d+\]', out)
    return re.sub(r'\s+\(?[\d.]+s\)?', '', '\n'.join(lines)) + ('' if 'ok' in out else out[-1500:])

@row('Go', 'go build of a server, asked from outside')
def _(t):
    name, a = t.serve(f'export PATH=$PATH:{GO}/bin; cp -r /app/go /tmp/go && cd /tmp/go && go build -o s . && exec ./s', 8000,
                      '-v', f'{GO}:{GO}:ro', '-e', 'GOFLAGS=-buildvcs=false', timeout=200)
    return t.get_url(a, 8000, '/goroutines') + t.get_url(a, 8000, '/exec') + t.many(a, 8000, '/') + t.ended(name)

for _packages in ('sync time', 'os/exec os/signal', 'os', 'syscall', 'net', 'net/http'):
    row(f'go test -short {_packages}', "the packages' own tests")(lambda t, p=_packages: go_test(t, p))

# ---- everyday services --------------------------------------------------------------------------------------------

@row('OpenSSH', 'login by key and by password, a refused one, a terminal, a forwarded port, sftp and scp')
def _(t):
    work = APPS + '/tmp/t-ssh'
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work, 0o700)
    try:
        t.client('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/tmp/t-ssh/key')
        with open(work + '/key.pub') as f:
            key = f.read().strip()
        with open(work + '/pass', 'w') as f:
            f.write('#!/bin/sh\necho secret5\n')
        os.chmod(work + '/pass', 0o755)
        name, a = t.serve('useradd -m -s /bin/bash u && echo u:secret5 | chpasswd && mkdir -p ~u/.ssh /run/sshd && echo "$KEY" >~u/.ssh/authorized_keys &&'
                          'chown -R u ~u/.ssh && chmod 700 ~u/.ssh && exec /usr/sbin/sshd -D -e', 22, '-e', f'KEY={key}')
        base = ('-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-i', '/tmp/t-ssh/key')
        ssh = lambda *c, opts=(), **kw: t.client('ssh', *base, *opts, f'u@{a}', *c, **kw)
        out = ssh('id; echo $SHELL; tty; exit 3') + ssh('cat | tr a-z A-Z', input='through\n')
        askpass = {'SSH_ASKPASS': '/tmp/t-ssh/pass', 'SSH_ASKPASS_REQUIRE': 'force'}
        password = ('-o', 'PubkeyAuthentication=no', '-o', 'NumberOfPasswordPrompts=1')
        out += ssh('whoami', opts=password, env=askpass)
        with open(work + '/pass', 'w') as f:
            f.write('#!/bin/sh\necho wrong\n')
        out += ssh('whoami', opts=password, env=askpass)
        out += ssh('tty; stty -a | grep -o "[^e]echo "; who -m | wc -l; test -t 0 && echo terminal', opts=('-tt',))
        out += ssh('head -c 20000000 /dev/zero | sha256sum') + ssh('kill -TERM $$')
        out += t.client('scp', *base, '/usr/bin/perl', f'u@{a}:p') + ssh('cmp p /usr/bin/perl; rm p')
        out += t.client('sftp', *base, f'u@{a}', input='mkdir d\nput /etc/passwd d/x\nls d\nrename d/x d/y\nls -1 d\nchmod 600 d/y\nget d/y /tmp/t-ssh/back\n')
        forward = subprocess.Popen(['chroot', APPS, 'ssh', *base, '-N', '-L', '12222:127.0.0.1:22', f'u@{a}'], stderr=subprocess.DEVNULL)
        try:
            def banner():
                try:
                    with socket.create_connection(('127.0.0.1', 12222), 5) as s:
                        return s.recv(8).decode()
                except OSError as e:
                    return type(e).__name__
            out += t.wait_for(banner, 'SSH-2.0-') + '\n'
        finally:
            forward.terminate()
            forward.wait()
        out += t.exec(name, 'pgrep -c sshd; ls ~u')
        return out.replace(a, 'ADDRESS') + t.ended(name)
    finally:
        shutil.rmtree(work, ignore_errors=True)

@row('cron', 'a job of a user and one of the system, within the minute')
def _(t):
    name = t.up(command=('sh', '-c', 'useradd -m u; echo "* * * * * id -un >>/tmp/user" | crontab -u u - ;'
                         'echo "* * * * * root echo $$ >/dev/null; id -u >>/tmp/system" >/etc/cron.d/job; exec cron -f'))
    out = t.wait_for(lambda: t.exec(name, 'head -1 /tmp/user; head -1 /tmp/system'), 'u\n0\n[0]', 75)
    return out + t.exec(name, 'crontab -l -u u; ls -l /tmp/user | cut -d" " -f1-4') + t.ended(name, '-t', '2')

@row('supervisord', 'starts four programs, restarts one that is killed, supervisorctl, its log, stops all')
def _(t):
    name = t.up('-v', f'{PAGES}:/app:ro', command=('supervisord', '-n', '-c', '/app/supervisord.conf'))
    status = lambda: re.sub(r'pid \d+, uptime \S+', 'pid', re.sub(' +', ' ', t.exec(name, 'supervisorctl -c /app/supervisord.conf status')))
    ready = lambda text: text.count('RUNNING') == 3
    deadline = time.time() + 30
    while not ready(status()) and time.time() < deadline:
        time.sleep(0.5)
    out = status()
    before = t.exec(name, 'supervisorctl -c /app/supervisord.conf pid loop')
    t.exec(name, 'kill -9 $(supervisorctl -c /app/supervisord.conf pid loop)')
    time.sleep(3)
    after = t.exec(name, 'supervisorctl -c /app/supervisord.conf pid loop')
    out += f'{before != after}\n' + t.exec(name, 'supervisorctl -c /app/supervisord.conf stop all') + status()
    out += t.exec(name, 'supervisorctl -c /app/supervisord.conf start web; curl -s localhost:8000/app/supervisord.conf | sha256sum | cut -c1-16')
    return '\n'.join(sorted(out.split('\n'))) + t.ended(name)

@row('--init and tini', 'orphans are collected, a signal reaches the child, the status comes back')
def _(t):
    orphans = 'for i in 1 2 3 4 5; do (sleep 0.1 &) ; done; sleep 1; ps -eo stat= | grep -c Z; ps -p 1 -o comm='
    out = t.run('--init', command=('sh', '-c', orphans)) + t.run(command=('tini', '--', 'sh', '-c', orphans)) + t.run(command=('sh', '-c', orphans + '; :'))
    for how in (('--init',), ()):
        name = t.name('init')
        lead = () if how else ('tini', '-g', '--')
        t.docker('run', '-d', '--name', name, f'--runtime={t.runtime}', *how, IMAGE, *lead, 'sh', '-c', 'trap "echo term; exit 9" TERM; while :; do sleep 0.1; done')
        time.sleep(1)
        out += t.ended(name) + t.text(t.docker('logs', name))
    return out + t.run('--init', command=('sh', '-c', 'kill -9 $$')) + t.run('--init', command=('no-such',))[-6:]


def table(results):
    with open(os.path.join(TOP, 'docs', 'docker.md')) as f:
        old = f.read().split('made by tests/docker/apps.py -->\n', 1)[1].split('<!--', 1)[0]
    state = {x.split('|')[1].strip(): x.split('|')[3].strip() for x in old.splitlines() if x.count('|') == 4}
    state.update({r.option: 'the same' if same else r.differs or '**differs**' for r, same, _, _ in results})
    return ['| application | what is looked at | sbx against runc |', '|---|---|---|',
            *(f'| {r.option} | {r.shows} | {state.get(r.option, "not tried")} |' for r in ROWS)]


def main():
    word, verbose = parse()
    enter()
    if not os.path.exists(APPS + '/srv/complete'):
        engines.skip(f'{APPS} is not there (sbx_apps_root in deploy/lib.sh makes it)')
    engine = Engine(image=False, args=('--bip', '172.29.0.1/16'))
    try:
        engine.import_image(APPS, IMAGE)
        return report([r for r in ROWS if re.search(word, r.option)], engine, App, verbose, ('apps', table), each=True)
    finally:
        engine.stop()


if __name__ == '__main__':
    sys.exit(main())
