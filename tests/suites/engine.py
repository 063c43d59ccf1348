"""Runs a command in the Debian root, by sbx or by runc, from the same bundle: what the comparisons share.

Writes to the root stay in memory on both sides: sbx keeps them in its own overlay, runc gets an overlay mount that
lives in a mount namespace of its own and goes with it."""
import json, os, shutil, signal, subprocess, tempfile, time, uuid

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get('SBX_BUILD', os.path.join(TOP, 'build'))
LAUNCH = os.path.join(BUILD, 'bin', 'sbx-launch')
ROOTFS = os.environ.get('SBX_ROOT') or os.path.join(os.environ.get('SBX_CACHE', '/var/cache/sbx'), 'debian-bookworm')
CAPS = ['CAP_AUDIT_WRITE', 'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_MKNOD',
        'CAP_NET_BIND_SERVICE', 'CAP_NET_RAW', 'CAP_SETFCAP', 'CAP_SETGID', 'CAP_SETPCAP', 'CAP_SETUID',
        'CAP_SYS_CHROOT']
ENGINES = ('sbx', 'runc')
STATUS_TIMEOUT = 124


NUMBERS = {'CAP_DAC_READ_SEARCH': 2, 'CAP_LINUX_IMMUTABLE': 9, 'CAP_IPC_LOCK': 14, 'CAP_IPC_OWNER': 15, 'CAP_SYS_PTRACE': 19,
           'CAP_SYS_NICE': 23, 'CAP_SYS_RESOURCE': 24, 'CAP_LEASE': 28}


def available(caps):
    """Without those that runc cannot give, since this machine does not have them; sbx goes without them too."""
    with open('/proc/self/status') as f:
        mask = next(int(line.split()[1], 16) for line in f if line.startswith('CapBnd:'))
    return [c for c in caps if c not in NUMBERS or mask >> NUMBERS[c] & 1]


def bundle(root, args, binds=(), caps=CAPS, env=(), path='', readonly=()):
    mounts = [
        {'destination': '/proc', 'type': 'proc', 'source': 'proc'},
        {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs',
         'options': ['nosuid', 'strictatime', 'mode=755', 'size=65536k']},
        {'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts',
         'options': ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']},
        {'destination': '/dev/shm', 'type': 'tmpfs', 'source': 'shm',
         'options': ['nosuid', 'nodev', 'mode=1777', 'size=512m']},
        {'destination': '/dev/mqueue', 'type': 'mqueue', 'source': 'mqueue',
         'options': ['nosuid', 'noexec', 'nodev']},
        {'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'nodev', 'mode=1777']},
        {'destination': '/sys', 'type': 'sysfs', 'source': 'sysfs', 'options': ['nosuid', 'noexec', 'nodev', 'ro']}]
    for source, destination, mode in binds:
        mounts.append({'destination': destination, 'type': 'bind', 'source': source, 'options': ['rbind', mode]})
    return {
        'ociVersion': '1.0.2',
        'process': {'terminal': False, 'user': {'uid': 0, 'gid': 0}, 'args': args,
                    'env': [f'PATH={path}{":" if path else ""}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root',
                            'LANG=C.UTF-8', 'TERM=xterm', *env],
                    'cwd': '/tmp', 'noNewPrivileges': False,
                    'rlimits': [{'type': 'RLIMIT_NOFILE', 'hard': 4096, 'soft': 1024}],
                    'capabilities': {k: available(caps) for k in ('bounding', 'effective', 'permitted')}},
        'root': {'path': root, 'readonly': False}, 'hostname': 'suite', 'mounts': mounts,
        'linux': {'namespaces': [{'type': t} for t in ('pid', 'network', 'ipc', 'uts', 'mount')],
                  'readonlyPaths': list(readonly)}}


def run(engine, args, timeout=600, stuck=None, **kw):
    """The status of the command (STATUS_TIMEOUT when it had to be ended, by the timeout or because stuck() says
    so) and what it printed."""
    work = tempfile.mkdtemp(prefix=f'sbx-suite-{engine}-')
    name = f'suite-{uuid.uuid4().hex[:12]}'
    try:
        if engine == 'sbx':
            root, cmd = ROOTFS, [LAUNCH, '--overlay=memory', 'run', '--bundle', work, name]
        else:
            root = os.path.join(work, 'root')
            os.mkdir(root)
            script = (f'mount -t tmpfs suite {root} && mkdir {root}/u {root}/w {root}/m && mount -t overlay suite '
                      f'-o lowerdir={ROOTFS},upperdir={root}/u,workdir={root}/w {root}/m && '
                      f'exec runc --root {work}/state run --bundle {work} {name}')
            root, cmd = root + '/m', ['unshare', '-m', '--propagation', 'private', 'sh', '-c', script]
        with open(os.path.join(work, 'config.json'), 'w') as f:
            json.dump(bundle(root, args, **kw), f)
        with open(os.path.join(work, 'out'), 'w+b') as out:
            p = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=work,
                                 start_new_session=True)
            end, status = time.monotonic() + timeout, None
            while status is None:
                try:
                    status = p.wait(min(2, max(0.1, end - time.monotonic())) if stuck else timeout)
                except subprocess.TimeoutExpired:
                    if time.monotonic() >= end or (stuck and stuck()):
                        status = STATUS_TIMEOUT
                        stop(engine, p, work, name)
            out.seek(0)
            return status, out.read().decode(errors='replace')
    finally:
        shutil.rmtree(work, ignore_errors=True)


def stop(engine, p, work, name):
    if engine == 'runc':
        subprocess.run(['runc', '--root', f'{work}/state', 'kill', name, 'KILL'], stderr=subprocess.DEVNULL)
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            pass
        subprocess.run(['runc', '--root', f'{work}/state', 'delete', '-f', name], stderr=subprocess.DEVNULL)
    else:
        subprocess.run([LAUNCH, 'kill', name, 'KILL'], stderr=subprocess.DEVNULL)
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            pass
    if p.poll() is None:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()


def load_expected(path):
    """{name: reason} of lines `name  reason`."""
    found = {}
    for line in open(path) if os.path.exists(path) else ():
        line = line.strip()
        if line and not line.startswith('#'):
            case, _, reason = line.partition('  ')
            found[case] = reason.strip()
    return found


def report_mended(mended, path, update):
    """Names what passes although the list expects it to fail; takes it out of the list when asked to."""
    for name in mended:
        print(f'passes now, take it out of {os.path.basename(path)}: {name}')
    if mended and update:
        with open(path) as f:
            lines = [line for line in f if line.partition('  ')[0].strip() not in mended]
        with open(path, 'w') as f:
            f.writelines(lines)
