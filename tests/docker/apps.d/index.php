<?php
// Each page uses another part of PHP's own input and output.
switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
case '/proc':
	$p = proc_open(['sh', '-c', 'cat; echo err >&2; exit 5'], [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $io);
	fwrite($io[0], 'through');
	fclose($io[0]);
	echo stream_get_contents($io[1]), stream_get_contents($io[2]), proc_close($p), ' ', trim(shell_exec('echo shell'));
	break;
case '/stream':
	$s = stream_socket_server('tcp://127.0.0.1:0', $e, $m);
	$c = stream_socket_client('tcp://' . stream_socket_get_name($s, false));
	$a = stream_socket_accept($s);
	fwrite($c, "line\n");
	$r = [$a];
	$w = $x = null;
	echo stream_select($r, $w, $x, 5), ' ', trim(fgets($a));
	[$one, $two] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
	fwrite($one, 'pair');
	fclose($one);
	echo ' ', stream_get_contents($two);
	break;
case '/files':
	$f = tempnam('/tmp', 'php');
	file_put_contents($f, str_repeat('z', 100000), LOCK_EX);
	$h = fopen($f, 'r+');
	ftruncate($h, 50000);
	echo flock($h, LOCK_EX | LOCK_NB) ? 'locked ' : 'no ', md5_file($f), ' ', filesize($f), ' ', substr(sprintf('%o', fileperms($f)), -4);
	unlink($f);
	break;
case '/fork':
	echo function_exists('pcntl_fork') ? 'fork ' : 'no fork ', php_sapi_name(), ' ', PHP_OS, ' ', date_default_timezone_get(), ' ', gethostbyname('localhost');
	break;
case '/post':
	echo count($_POST), ' ', strlen($_POST['b']);
	break;
default:
	session_save_path('/tmp');
	session_start();
	$_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
	echo 'php ', $_SESSION['n'], ' ', $_GET['x'] ?? '';
}
