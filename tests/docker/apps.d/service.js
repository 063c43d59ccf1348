// An http service in a cluster of three; each page uses another part of Node.
const cluster = require('cluster'), http = require('http'), fs = require('fs'), os = require('os');
const { Worker, isMainThread, workerData, parentPort } = require('worker_threads');
const { execFile, spawn, fork } = require('child_process');
const crypto = require('crypto'), zlib = require('zlib'), dns = require('dns');

function threads(reply) {
	const source = `const {parentPort,workerData}=require('worker_threads');const a=new Int32Array(workerData);
		for(let i=0;i<10000;i++)Atomics.add(a,0,1);parentPort.postMessage('done')`;
	const shared = new SharedArrayBuffer(4);
	let left = 8;
	for (let i = 0; i < 8; i++)
		new Worker(source, { eval: true, workerData: shared }).on('exit', () => --left || reply(String(new Int32Array(shared)[0])));
}

function watch(reply) {
	const dir = fs.mkdtempSync('/tmp/w-');
	const seen = new Set();
	const w = fs.watch(dir, (event, name) => seen.add(name));
	setTimeout(() => { fs.writeFileSync(dir + '/a', '1'); fs.renameSync(dir + '/a', dir + '/b'); }, 100);
	setTimeout(() => { w.close(); reply([...seen].sort().join()); }, 600);
}

const pages = {
	'/': (reply) => reply('node'),
	'/threads': threads,
	'/watch': watch,
	'/crypto': (reply) => crypto.pbkdf2('a', 'b', 20000, 16, 'sha512', (e, key) => crypto.randomBytes(16, (e, r) => reply(key.toString('hex') + r.length))),
	'/zlib': (reply) => zlib.gzip(Buffer.alloc(5000000, 'abc'), (e, z) => zlib.gunzip(z, (e, d) => reply(`${d.length}`))),
	'/child': (reply) => execFile('sh', ['-c', 'echo $((6*7)); exit 3'], (e, out) => {
		const p = spawn('sleep', ['100']);
		p.on('exit', (code, signal) => reply(`${e.code} ${out.trim()} ${code} ${signal}`));
		setTimeout(() => p.kill(), 50);
	}),
	'/dns': (reply) => dns.lookup('localhost', { family: 4 }, (e, address) => reply(`${address}`)),
};

if (cluster.isPrimary) {
	for (let i = 0; i < 3; i++)
		cluster.fork();
	process.on('SIGTERM', () => { for (const id in cluster.workers) cluster.workers[id].kill(); setTimeout(() => process.exit(6), 300); });
} else {
	http.createServer((q, r) => (pages[q.url] || pages['/'])((text) => r.end(text))).listen(8080);
}
