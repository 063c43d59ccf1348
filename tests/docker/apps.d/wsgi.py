import os


def app(environ, start_response):
    size = int(environ.get('CONTENT_LENGTH') or 0)
    body = environ['wsgi.input'].read(size)
    text = f'{environ["REQUEST_METHOD"]} {environ["PATH_INFO"]} {environ["QUERY_STRING"]} {len(body)} {sum(body)} {os.getuid()}'
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [text.encode()]
