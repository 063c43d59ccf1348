#!/usr/bin/env python3
"""deploy/walkthrough to its end: under a dockerd of the test's own, or as on a machine without Docker's files.

    tests/docker/walkthrough.py            the quick one, --daemon
    tests/docker/walkthrough.py --full     with the large packages, without --daemon: deploy/docker/setup builds, installs and
                                           registers, in folders of the test's own

With SBX_WRITE_DOCS=1 the full one writes docs/walkthrough.md anew from what it saw. Other arguments are the walkthrough's own."""
import os, shutil, signal, subprocess, sys, tempfile
import aptproxy
from engine import LAUNCH, PATH, TOP, Engine, enter, skip

WALK = os.path.join(TOP, 'deploy', 'walkthrough')
BRIDGE = '172.31.240.1'
POOLS = [{'base': '172.31.248.0/21', 'size': 24}]
PROXY = ['--apt-proxy', f'http://{BRIDGE}:{aptproxy.PORT}']
# what the machine has there is neither read nor changed
OWN = {'/etc/docker': 'etc', '/var/lib/docker': 'lib', '/usr/local': 'local', '/var/log': 'log'}


def quick(args):
    logs = tempfile.mkdtemp(prefix='sbx-walk-logs-')
    run = ['--root', '/run/sbx-walk-test']
    engine = Engine({'bip': BRIDGE + '/24', 'default-address-pools': POOLS,
                     'runtimes': {'sbx': {'path': LAUNCH, 'runtimeArgs': run},
                                  'sbx-debug': {'path': LAUNCH, 'runtimeArgs': [*run, '--debug-log', logs, '--strace']}}}, image=False)
    try:
        return subprocess.run([WALK, '--quick', '--daemon', engine.work + '/docker.sock', *PROXY, *args], env=engine.env).returncode
    finally:
        engine.stop()
        shutil.rmtree(logs, ignore_errors=True)
        shutil.rmtree('/run/sbx-walk-test', ignore_errors=True)


def full(args):
    work = tempfile.mkdtemp(prefix='sbx-walk-', dir='/var/tmp')
    made = [p for p in ('/etc/docker', '/var/lib/docker') if not os.path.isdir(p)]
    try:
        for path, name in OWN.items():
            os.makedirs(path, exist_ok=True)
            os.mkdir(f'{work}/{name}')
            subprocess.run(['mount', '--bind', f'{work}/{name}', path], check=True)
        subprocess.run(['mount', '-t', 'tmpfs', 'run', '/run'], check=True)
        with open('/etc/docker/daemon.json', 'w') as f:
            f.write('{"bip": "%s/24",\n "default-address-pools": [{"base": "%s", "size": %d}]}' % (BRIDGE, POOLS[0]['base'], POOLS[0]['size']))
        before = open('/etc/docker/daemon.json').read()
        status = subprocess.run([WALK, *PROXY, *args], env=dict(os.environ, PATH='/usr/local/sbin:/usr/local/bin:' + PATH)).returncode
        if status == 0 and open('/etc/docker/daemon.json').read() != before:
            print('daemon.json is not as it was')
            return 1
        return status
    finally:
        for path in OWN:
            subprocess.run(['umount', '-l', path], check=False)
        shutil.rmtree(work, ignore_errors=True)
        for path in made:
            os.rmdir(path)


def main():
    if aptproxy.PAIR not in os.environ:
        if not aptproxy.mirror_answers():
            skip('no package mirror is reached from here')
        aptproxy.start()
    enter()
    keep = aptproxy.enter()
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(143))
    args = [a for a in sys.argv[1:] if a != '--full']
    if '--full' not in sys.argv:
        status = quick(args)
    else:
        status = full(args + (['--transcript', TOP + '/docs/walkthrough.md'] if os.environ.get('SBX_WRITE_DOCS') else []))
    keep.close()
    sys.exit(status)


if __name__ == '__main__':
    main()
