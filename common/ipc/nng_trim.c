/* Replacements for the parts of a statically linked libnng that sbx never uses: TCP, TLS and
 * WebSocket transports and the resolver's threads (the linker's --wrap sends their callers here).
 * It saves the mbedtls libraries, four threads and about 0.5 MiB in every process that speaks on
 * the control plane. Only the ipc transport is left. */
#include <nng/nng.h>

#define NOTHING_TO_START(name) \
	int __wrap_##name(void);  \
	int __wrap_##name(void)   \
	{                         \
		return 0;         \
	}
#define NOT_SUPPORTED(name)         \
	int __wrap_##name(void);    \
	int __wrap_##name(void)     \
	{                           \
		return NNG_ENOTSUP; \
	}

NOTHING_TO_START(nni_posix_resolv_sysinit)
NOTHING_TO_START(nni_posix_resolv_sysfini)
NOTHING_TO_START(nni_sp_tls_register)
NOTHING_TO_START(nni_sp_ws_register)
NOTHING_TO_START(nni_sp_wss_register)
NOTHING_TO_START(nni_sp_tcp_register)
NOTHING_TO_START(nni_tls_sys_init)
NOTHING_TO_START(nni_tls_sys_fini)
NOT_SUPPORTED(nni_tcp_dialer_alloc)
NOT_SUPPORTED(nni_tcp_listener_alloc)
NOT_SUPPORTED(nni_tls_dialer_alloc)
NOT_SUPPORTED(nni_tls_listener_alloc)
NOT_SUPPORTED(nni_ws_dialer_alloc)
NOT_SUPPORTED(nni_ws_listener_alloc)

/* nng makes its pools as wide as the machine; one connection needs no more than one CPU's worth. */
int __wrap_nni_plat_ncpu(void);
int __wrap_nni_plat_ncpu(void)
{
	return 1;
}
