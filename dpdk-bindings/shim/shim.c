#include "shim.h"

#include <stddef.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_ring.h>

/* mbuf.rs asserts the same numbers for what bindgen (clang) saw; here the C compiler agrees. */
_Static_assert(offsetof(struct rte_mbuf, buf_addr) == 0, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, data_off) == 16, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, refcnt) == 18, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, nb_segs) == 20, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, port) == 22, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, ol_flags) == 24, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, packet_type) == 32, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, pkt_len) == 36, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, data_len) == 40, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, vlan_tci) == 42, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, hash) == 44, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, vlan_tci_outer) == 52, "rte_mbuf layout");
_Static_assert(offsetof(struct rte_mbuf, next) == 64, "rte_mbuf layout");
_Static_assert(sizeof(struct rte_mbuf) == 128, "rte_mbuf layout");

uint16_t tapir_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max)
{
	return rte_eth_rx_burst(port, queue, mbufs, max);
}

uint16_t tapir_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_tx_burst(port, queue, mbufs, count);
}

void tapir_free(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

void tapir_share(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_refcnt_update(mbuf, 1);
}

void tapir_prefetch_headers(struct rte_mbuf *const *mbufs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		rte_prefetch0(mbufs[i]);
}

void tapir_prefetch_data(struct rte_mbuf *const *mbufs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (mbufs[i] != NULL)
			rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
}

struct rte_mbuf *tapir_packet_from(struct rte_mempool *pool, const uint8_t *bytes, uint32_t length)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool);
	uint32_t done = 0;

	if (head == NULL)
		return NULL;
	for (struct rte_mbuf *segment = head;;) {
		uint16_t part = (uint16_t)RTE_MIN(length - done, (uint32_t)rte_pktmbuf_tailroom(segment));

		rte_memcpy(rte_pktmbuf_mtod(segment, void *), bytes + done, part);
		segment->data_len = part;
		done += part;
		if (done == length)
			break;
		segment->next = rte_pktmbuf_alloc(pool);
		if (segment->next == NULL) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		segment = segment->next;
		head->nb_segs++;
	}
	head->pkt_len = length;
	return head;
}

unsigned int tapir_ring_enqueue(struct rte_ring *ring, struct rte_mbuf *const *mbufs, unsigned int count)
{
	return rte_ring_sp_enqueue_burst(ring, (void *const *)mbufs, count, NULL);
}

unsigned int tapir_ring_dequeue(struct rte_ring *ring, struct rte_mbuf **mbufs, unsigned int max)
{
	return rte_ring_sc_dequeue_burst(ring, (void **)mbufs, max, NULL);
}

unsigned int tapir_ring_count(const struct rte_ring *ring)
{
	return rte_ring_count(ring);
}

int tapir_errno(void)
{
	return rte_errno;
}

unsigned int tapir_lcore_id(void)
{
	return rte_lcore_id();
}

uint64_t tapir_rdtsc(void)
{
	return rte_rdtsc();
}
