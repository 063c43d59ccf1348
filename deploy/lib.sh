# What quickstart and the tests share: packages, build, and the Debian root. Sourced by bash.
SBX_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SBX_BUILD=${SBX_BUILD:-$SBX_TOP/build}
SBX_CACHE=${SBX_CACHE:-/var/cache/sbx}
SBX_SUITE=${SBX_SUITE:-bookworm}
SBX_ROOT=${SBX_ROOT:-$SBX_CACHE/debian-$SBX_SUITE}

sbx_say() { printf '\033[1m== %s\033[0m\n' "$*"; }
sbx_die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

sbx_need_root() {
	[ "$(id -u)" = 0 ] || sbx_die "needs root: user namespaces with many ids, cgroups and debootstrap"
}

# Installs the Debian packages among the arguments that are not there yet.
sbx_install() {
	local p missing=()
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$p")
	done
	[ ${#missing[@]} = 0 ] && return 0
	command -v apt-get >/dev/null || sbx_die "please install: ${missing[*]}"
	sbx_say "installing ${missing[*]}"
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/tmp/sbx-apt.$$ 2>&1 ||
		{ apt-get update >/tmp/sbx-apt.$$ 2>&1 &&
		  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/tmp/sbx-apt.$$ 2>&1; } ||
		{ tail -20 /tmp/sbx-apt.$$ >&2; rm -f /tmp/sbx-apt.$$; sbx_die "cannot install ${missing[*]}"; }
	rm -f /tmp/sbx-apt.$$
}

sbx_install_build() {
	sbx_install gcc libc6-dev cmake ninja-build pkg-config libnng-dev libcbor-dev libseccomp-dev \
		libcap-dev libjansson-dev libcmocka-dev
}

# Configures once and builds the named targets (none: all).
sbx_build() {
	local log=$SBX_BUILD/build.log
	mkdir -p "$SBX_BUILD"
	if [ ! -f "$SBX_BUILD/build.ninja" ]; then
		cmake -S "$SBX_TOP" -B "$SBX_BUILD" -G Ninja -DCMAKE_BUILD_TYPE="${SBX_BUILD_TYPE:-Release}" >"$log" 2>&1 ||
			{ cat "$log" >&2; sbx_die "cmake failed"; }
	fi
	cmake --build "$SBX_BUILD" ${1:+--target "$@"} >"$log" 2>&1 ||
		{ grep -E 'error|FAILED|undefined' "$log" | head -40 >&2; sbx_die "the build failed; all of it is in $log"; }
}

# The Debian mirror that apt is set to (empty: debootstrap's own default).
sbx_mirror() {
	echo "${SBX_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		grep -v security | head -1)}"
}

# A Debian root, made once. Built beside its place and moved there when complete.
sbx_debian_root() {
	local mirror part
	[ -x "$SBX_ROOT/usr/bin/gcc" ] && return 0
	sbx_install debootstrap ca-certificates
	mirror=$(sbx_mirror)
	sbx_say "making a Debian root in $SBX_ROOT (once; some minutes)"
	mkdir -p "$SBX_CACHE"
	part=$(mktemp -d "$SBX_CACHE/.debian-XXXXXX")
	chmod 755 "$part"
	debootstrap --variant=minbase \
		--include=python3,perl,gcc,libc6-dev,make,git,sqlite3,procps,file,less,bc,psmisc,binutils,busybox-static,libpython3.11-testsuite,stress-ng \
		"$SBX_SUITE" "$part" ${mirror:+"$mirror"} >"$SBX_CACHE/debootstrap.log" 2>&1 ||
		{ tail -20 "$SBX_CACHE/debootstrap.log" >&2; rm -rf "$part"; sbx_die "debootstrap failed"; }
	rm -rf "$part"/var/cache/apt/archives/*.deb "$part"/var/lib/apt/lists/*
	rm -rf "$SBX_ROOT"
	mv "$part" "$SBX_ROOT"
}

# A copy of the Debian root with servers and clients of the network in it, made once, for long tests and figures.
SBX_NET_ROOT=${SBX_NET_ROOT:-$SBX_CACHE/net-$SBX_SUITE}
sbx_net_root() {
	local part log=$SBX_CACHE/net-root.log
	[ -x "$SBX_NET_ROOT/usr/bin/wrk" ] && return 0
	sbx_debian_root
	sbx_say "making a root with network programs in $SBX_NET_ROOT (once; some minutes)"
	part=$(mktemp -d "$SBX_CACHE/.net-XXXXXX")
	chmod 755 "$part"
	cp -a "$SBX_ROOT/." "$part/"
	cp /etc/resolv.conf "$part/etc/resolv.conf"
	cp -rL /etc/apt/apt.conf.d/. "$part/etc/apt/apt.conf.d/" 2>/dev/null || true
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$part/etc/hosts"
	printf '#!/bin/sh\nexit 101\n' >"$part/usr/sbin/policy-rc.d"
	chmod 755 "$part/usr/sbin/policy-rc.d"
	{ chroot "$part" apt-get update &&
	  DEBIAN_FRONTEND=noninteractive chroot "$part" apt-get install -y --no-install-recommends iproute2 iputils-ping \
		traceroute curl wget dnsutils dnsmasq openssh-server openssh-client iperf3 redis-server nginx-light postgresql \
		wrk ethtool net-tools nodejs; } >"$log" 2>&1 ||
		{ tail -5 "$log" >&2; rm -rf "$part"; sbx_die "cannot make the root with network programs"; }
	rm -rf "$part"/var/cache/apt/archives/*.deb
	rm -rf "$SBX_NET_ROOT"
	mv "$part" "$SBX_NET_ROOT"
}

# Runs a program in a root, with the /proc that Java's maintainer scripts want, which goes with it.
sbx_in_root() {
	unshare -m sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$@"
}

# A project of npm that carries its tests, npm itself, and a cache with all that installing it needs: sbx_npm_project DIR
sbx_npm_project() (
	mkdir -p "$1"
	cd "$1" &&
	npm pack npm@9.9.3 qs@6.11.2 && mkdir npm && tar -C npm --strip-components=1 -xf npm-*.tgz && tar xf qs-*.tgz && rm ./*.tgz &&
	cd package && npm pkg delete devDependencies scripts.prepare scripts.prepublish scripts.prepublishOnly scripts.postversion &&
	npm install --cache "$1/cache" --omit-lockfile-registry-resolved=false --ignore-scripts --no-audit --no-fund --save-dev tape@5.6.6 iconv-lite@0.5.1 safer-buffer@2.1.2 \
		object-inspect@1.12.3 qs-iconv@1.0.4 has-symbols@1.0.3 for-each@0.3.3 mock-property@1.0.3 \
		has-override-mistake@1.0.1 es-value-fixtures@1.4.2 has-bigints@1.0.2 &&
	rm -rf node_modules
)

# PostgreSQL's own regression and isolation tests of the version that is installed in a root, with the module of functions in C
# that they load; the programs that run them are in the server's package: sbx_postgres_tests ROOT
sbx_postgres_tests() {
	sbx_in_root "$1" sh -ec 'cd /srv; rm -rf postgres .pg; mkdir .pg; cd .pg; apt-get update
		version=$(dpkg-query -W -f "\${source:Version}" postgresql-15); apt-get source postgresql-15=$version; cd postgresql-15-*/
		./configure --without-readline --without-zlib >/dev/null; make -s -C src/backend generated-headers
		make -s -C src/port; make -s -C src/common; make -s -C src/test/regress regress.so
		cp /usr/lib/postgresql/15/lib/refint.so /usr/lib/postgresql/15/lib/autoinc.so src/test/regress/
		mkdir ../out; mv src/test/regress src/test/isolation ../out; mv ../out /srv/postgres; rm -rf /srv/.pg /var/lib/apt/lists/*'
}

# A copy of that root with what real applications need besides, made once, for tests/docker/apps.py: languages, a source
# package to build, and a project of npm with its cache, so that nothing is fetched while the tests run.
SBX_APPS_ROOT=${SBX_APPS_ROOT:-$SBX_CACHE/apps-$SBX_SUITE}
sbx_apps_root() {
	local part log=$SBX_CACHE/apps-root.log
	if [ -e "$SBX_APPS_ROOT/srv/complete" ]; then
		[ -e "$SBX_APPS_ROOT/srv/postgres" ] || sbx_postgres_tests "$SBX_APPS_ROOT" >"$log" 2>&1 ||
			{ tail -5 "$log" >&2; sbx_die "cannot add PostgreSQL's tests to the root with applications"; }
		return 0
	fi
	sbx_net_root
	command -v npm >/dev/null || sbx_install npm
	sbx_say "making a root with applications in $SBX_APPS_ROOT (once; some minutes)"
	part=$(mktemp -d "$SBX_CACHE/.apps-XXXXXX")
	chmod 755 "$part"
	cp -a "$SBX_NET_ROOT/." "$part/"
	cp /etc/resolv.conf "$part/etc/resolv.conf"
	sed 's/^deb /deb-src /' "$part/etc/apt/sources.list" >"$part/etc/apt/sources.list.d/source.list"
	{ sbx_in_root "$part" apt-get update &&
	  DEBIAN_FRONTEND=noninteractive sbx_in_root "$part" apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
		gunicorn php-cli ruby ruby-webrick default-jdk-headless cron supervisor tini dpkg-dev libc6-dev make pkg-config g++ &&
	  sbx_in_root "$part" sh -ec 'mkdir -p /srv/redis; cd /srv/redis; apt-get source redis; mv redis-*/ src' &&
	  sbx_postgres_tests "$part" && sbx_npm_project "$part/srv/npm" && date >"$part/srv/complete"; } >"$log" 2>&1 ||
		{ tail -5 "$log" >&2; rm -rf "$part"; sbx_die "cannot make the root with applications"; }
	rm -rf "$part"/var/cache/apt/archives/*.deb "$part"/var/lib/apt/lists/*
	rm -rf "$SBX_APPS_ROOT"
	mv "$part" "$SBX_APPS_ROOT"
}

# Writes a bundle's config.json for the Debian root: sbx_bundle DIR TERMINAL(true|false) ARG...
sbx_bundle() {
	local dir=$1 terminal=$2 args='' a
	shift 2
	for a in "$@"; do
		a=${a//\\/\\\\}
		a=${a//\"/\\\"}
		a=${a//$'\n'/\\n}
		a=${a//$'\t'/\\t}
		args+="${args:+,}\"$a\""
	done
	mkdir -p "$dir"
	cat >"$dir/config.json" <<-JSON
	{"ociVersion":"1.0.2","process":{"terminal":$terminal,"user":{"uid":0,"gid":0},"args":[$args],
	"env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","HOME=/root","LANG=C.UTF-8","TERM=${TERM:-dumb}","PS1=sandbox:\\\\w# "],
	"cwd":"/root","capabilities":{"bounding":[$SBX_CAPS],"effective":[$SBX_CAPS],"permitted":[$SBX_CAPS]}},
	"root":{"path":"$SBX_ROOT"},"hostname":"sandbox","mounts":[
	{"destination":"/proc","type":"proc","source":"proc"},
	{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","strictatime","mode=755","size=65536k"]},
	{"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620","gid=5"]},
	{"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["nosuid","nodev","mode=1777","size=65536k"]},
	{"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid","noexec","nodev"]},
	{"destination":"/tmp","type":"tmpfs","source":"tmpfs","options":["nosuid","nodev","mode=1777"]},
	{"destination":"/sys","type":"sysfs","source":"sysfs","options":["nosuid","noexec","nodev","ro"]}],
	"linux":{"namespaces":[{"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"mount"}]}}
	JSON
}
SBX_CAPS='"CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER","CAP_MKNOD","CAP_NET_RAW","CAP_SETGID","CAP_SETUID","CAP_SETFCAP","CAP_SETPCAP","CAP_NET_BIND_SERVICE","CAP_SYS_CHROOT","CAP_KILL","CAP_AUDIT_WRITE"'
