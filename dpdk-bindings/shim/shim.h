/* DPDK's static inline functions as real ones, shaped so that the language boundary is crossed
 * once a burst, not once a packet. */
#pragma once

#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

/* Receives up to `max` packets of a started queue; returns how many. */
uint16_t tapir_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max);

/* Sends up to `count` mbufs; the ones past the returned number still belong to the caller. */
uint16_t tapir_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);

/* Gives one packet (a head with its chain) back. */
void tapir_free(struct rte_mbuf *mbuf);

/* Adds one holder to every segment of a chain. */
void tapir_share(struct rte_mbuf *mbuf);

/* Asks the cache for the first line of each mbuf header. */
void tapir_prefetch_headers(struct rte_mbuf *const *mbufs, unsigned int count);

/* Asks the cache for the first line of each packet's bytes; reads the mbuf headers. */
void tapir_prefetch_data(struct rte_mbuf *const *mbufs, unsigned int count);

/* A packet with a copy of `bytes`, chained over as many segments as it takes; null if the pool is
 * out of mbufs. */
struct rte_mbuf *tapir_packet_from(struct rte_mempool *pool, const uint8_t *bytes, uint32_t length);

/* One producer, one consumer: see rte_ring_sp_enqueue_burst and rte_ring_sc_dequeue_burst. */
unsigned int tapir_ring_enqueue(struct rte_ring *ring, struct rte_mbuf *const *mbufs, unsigned int count);
unsigned int tapir_ring_dequeue(struct rte_ring *ring, struct rte_mbuf **mbufs, unsigned int max);
unsigned int tapir_ring_count(const struct rte_ring *ring);

/* rte_errno of the calling thread. */
int tapir_errno(void);

/* Lcore id of the calling thread, LCORE_ID_ANY if it is not registered. */
unsigned int tapir_lcore_id(void);

/* The CPU's time stamp counter. */
uint64_t tapir_rdtsc(void);
