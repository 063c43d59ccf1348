/* --pcap: what crosses the links, as a pcapng file (draft-ietf-opsawg-pcapng): a section header, a description of
 * each interface when it is first seen, and one enhanced packet block a frame, with its time in nanoseconds and
 * its direction. Super-segments are recorded as they cross, whole. Blocks are collected and written at the end of
 * a round; a file that takes no more (a full disk) ends the recording, not the network. */
#include <sys/socket.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "netd/core/netif.h"
#include "netd/core/pkt.h"
#include "netd/core/stack.h"
#include "netd/link/private.h"

#define BUFFER_SIZE (256u * 1024)
#define INTERFACES_MAX 64
#define SNAP_MAX 262144u
#define LINKTYPE_ETHERNET 1

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPT_END = 0, OPT_IF_NAME = 2, OPT_IF_TSRESOL = 9, OPT_EPB_FLAGS = 2 };

struct link_pcap {
	struct netif_tap tap;
	struct netstack *st;
	int fd;
	int index[INTERFACES_MAX]; /* interface numbers, by their place in the file */
	uint32_t count;
	size_t used;
	uint8_t buf[BUFFER_SIZE];
};

static void give_up(struct link_pcap *p)
{
	log_warn("the recording of packets ends: %s", strerror(errno));
	close_fd(&p->fd);
	p->used = 0;
}

void pcap_flush(struct link_pcap *p)
{
	size_t done = 0;

	while (p->fd >= 0 && done < p->used) {
		ssize_t n = write(p->fd, p->buf + done, p->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			give_up(p);
			return;
		}
		done += (size_t)n;
	}
	p->used = 0;
}

static void put(struct link_pcap *p, const void *data, size_t size)
{
	while (size && p->fd >= 0) {
		size_t n = MIN(size, sizeof(p->buf) - p->used);

		memcpy(p->buf + p->used, data, n);
		p->used += n;
		data = (const uint8_t *)data + n;
		size -= n;
		if (p->used == sizeof(p->buf))
			pcap_flush(p);
	}
}

static void put32(struct link_pcap *p, uint32_t v)
{
	put(p, &v, sizeof(v));
}

static void put_padding(struct link_pcap *p, size_t size)
{
	put(p, "\0\0\0", ALIGN_UP(size, 4) - size);
}

static void put_option(struct link_pcap *p, uint16_t code, const void *data, uint16_t size)
{
	put(p, &code, sizeof(code));
	put(p, &size, sizeof(size));
	put(p, data, size);
	put_padding(p, size);
}

static void put_section(struct link_pcap *p)
{
	put32(p, BLOCK_SECTION);
	put32(p, 28);
	put32(p, 0x1a2b3c4d);
	put32(p, 1);          /* version 1.0 */
	put32(p, UINT32_MAX); /* length: not known, 64 bits */
	put32(p, UINT32_MAX);
	put32(p, 28);
}

/* The number of an interface in the file; it is described when it is new. */
static int file_index(struct link_pcap *p, const struct netif *nif)
{
	static const uint8_t nanoseconds = 9;
	uint16_t size = (uint16_t)strlen(nif->name);
	uint32_t total = 20 + 4 + (uint32_t)ALIGN_UP(size, 4) + 8 + 4;

	for (uint32_t i = 0; i < p->count; i++)
		if (p->index[i] == nif->index)
			return (int)i;
	if (p->count == INTERFACES_MAX)
		return -1;
	p->index[p->count] = nif->index;
	put32(p, BLOCK_INTERFACE);
	put32(p, total);
	put32(p, LINKTYPE_ETHERNET);
	put32(p, SNAP_MAX);
	put_option(p, OPT_IF_NAME, nif->name, size);
	put_option(p, OPT_IF_TSRESOL, &nanoseconds, 1);
	put_option(p, OPT_END, NULL, 0);
	put32(p, total);
	return (int)p->count++;
}

static void on_frame(struct netif_tap *tap, struct netif *nif, const struct pkt *pkt, bool out)
{
	struct link_pcap *p = CONTAINER_OF(tap, struct link_pcap, tap);
	uint32_t size = pkt_total(pkt), total = 32 + (uint32_t)ALIGN_UP(size, 4) + 8 + 4;
	uint32_t flags = out ? 2 : 1;
	uint64_t when;
	int index;

	if (p->fd < 0 || nif->index == 1 || size > SNAP_MAX)
		return; /* loopback is no link */
	index = file_index(p, nif);
	if (index < 0)
		return;
	when = !out && pkt->rx_ns ? pkt->rx_ns : netstack_real_ns(p->st);
	put32(p, BLOCK_PACKET);
	put32(p, total);
	put32(p, (uint32_t)index);
	put32(p, (uint32_t)(when >> 32));
	put32(p, (uint32_t)when);
	put32(p, size);
	put32(p, size);
	put(p, pkt->data, pkt->len);
	for (unsigned i = 0; i < pkt->ext_count; i++)
		put(p, pkt->ext[i].iov_base, pkt->ext[i].iov_len);
	put_padding(p, size);
	put_option(p, OPT_EPB_FLAGS, &flags, 4);
	put_option(p, OPT_END, NULL, 0);
	put32(p, total);
}

int pcap_new(struct link_set *set, int fd)
{
	struct link_pcap *p = malloc(sizeof(*p));

	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	memset(p, 0, offsetof(struct link_pcap, buf));
	p->fd = fd;
	p->st = set->st;
	p->tap.fn = on_frame;
	put_section(p);
	pcap_flush(p);
	netif_tap_add(set->st, &p->tap);
	set->pcap = p;
	return 0;
}

void pcap_free(struct link_pcap *p)
{
	if (!p)
		return;
	pcap_flush(p);
	close_fd(&p->fd);
	free(p);
}
