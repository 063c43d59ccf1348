"""A way to the package mirrors for containers whose engine lives in a network namespace without any link outwards.

A process that stays in the machine's namespace forwards HTTP for them (GET by its absolute address, CONNECT), from a listening
socket that was made inside and handed to it. So nothing of the machine's interfaces and filters is touched, and the tests need
no address of their own on it. It ends when the test does, however that ends: it holds the other end of a pair of sockets.

    aptproxy.py COMMAND...      runs it in a network namespace of its own, whose one way outwards is http://192.0.2.1:3142: the machine
                                in it and its containers, if it has any, ask by that same address"""
import os, select, shutil, socket, subprocess, sys, threading, urllib.parse

PAIR = 'SBX_APT_PROXY_PAIR'
PORT = 3142
ADDRESS = '192.0.2.1'  # TEST-NET-1, RFC 5737: nobody has it, and no engine chooses it for a bridge
LIMIT = 65536  # of a request's head


def forward(a, b):
    """Both directions until both are at their end."""
    other = {a: b, b: a}
    while other:
        for s in select.select(list(other), [], [], 300)[0] or list(other):
            data = s.recv(65536)
            if data:
                other[s].sendall(data)
                continue
            try:
                other.pop(s).shutdown(socket.SHUT_WR)
            except OSError:
                return


def serve(client):
    try:
        with client:
            head = b''
            while b'\r\n\r\n' not in head:
                data = client.recv(4096)
                if not data or len(head) > LIMIT:
                    return
                head += data
            head, rest = head.split(b'\r\n\r\n', 1)
            lines = head.decode('latin1').split('\r\n')
            method, target, version = lines[0].split(' ')
            tunnel = method == 'CONNECT'
            url = urllib.parse.urlsplit('//' + target if tunnel else target)
            with socket.create_connection((url.hostname, url.port or (443 if tunnel else 80)), 30) as server:
                server.settimeout(None)
                if tunnel:
                    client.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
                else:
                    # one request for a connection: the next may be for another host
                    lines = [l for l in lines[1:] if not l.lower().startswith(('connection:', 'proxy-connection:'))]
                    path = urllib.parse.urlunsplit(('', '', url.path or '/', url.query, ''))
                    server.sendall('\r\n'.join([f'{method} {path} HTTP/1.1', *lines, 'Connection: close', '', '']).encode('latin1'))
                server.sendall(rest)
                forward(client, server)
    except (OSError, ValueError):
        pass  # the client sees its connection close, and says so


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def start():
    """Before the test enters its namespaces."""
    if PAIR in os.environ:
        return
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
        if fds:
            threading.Thread(target=accept, args=(socket.socket(fileno=fds[0]),), daemon=True).start()
            theirs.recv(1)  # returns when nobody is left at the other end
        os._exit(0)
    theirs.close()
    os.set_inheritable(ours.fileno(), True)
    os.environ[PAIR] = str(ours.detach())


def enter():
    """Within them."""
    pair = socket.socket(fileno=int(os.environ[PAIR]))
    pair.set_inheritable(False)
    with socket.create_server(('0.0.0.0', PORT)) as listener:
        socket.send_fds(pair, [b'x'], [listener.fileno()])
    return pair  # to be kept


def mirror_answers():
    """Whether the mirror that apt is set to can be reached from here (the machine's namespace)."""
    if not shutil.which('apt-get'):
        return False
    text = subprocess.run(['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'], capture_output=True, text=True).stdout
    for uri in text.split('\n')[:1]:
        url = urllib.parse.urlsplit(uri)
        try:
            socket.create_connection((url.hostname, url.port or (443 if url.scheme == 'https' else 80)), 10).close()
            return True
        except OSError:
            return False
    return False


def main():
    if PAIR not in os.environ:
        start()
        os.execvp('unshare', ['unshare', '--net', sys.executable, *sys.argv])
    for args in (('link', 'set', 'lo', 'up'), ('addr', 'add', ADDRESS + '/32', 'dev', 'lo')):
        subprocess.run(['ip', *args], check=True)
    keep = enter()
    url = f'http://{ADDRESS}:{PORT}'
    env = {k: v for k, v in os.environ.items() if k != PAIR}
    status = subprocess.run(sys.argv[1:], env=dict(env, http_proxy=url, https_proxy=url)).returncode
    keep.close()
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == '__main__':
    main()
