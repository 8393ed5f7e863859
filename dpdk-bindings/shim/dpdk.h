/* What bindgen reads: the DPDK headers Tapir uses, the shim, and flag macros as typed constants.
 *
 * DPDK's flags are macros with casts and shifts that bindgen can't evaluate; as `static const`
 * they come out with the right width, so every flag the Rust side uses is named here once. */
#pragma once

#include <rte_config.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "shim.h"

/* What the NIC says about a received packet (rte_mbuf.ol_flags). */
static const uint64_t RX_RSS_HASH = RTE_MBUF_F_RX_RSS_HASH;
static const uint64_t RX_VLAN_STRIPPED = RTE_MBUF_F_RX_VLAN_STRIPPED;
static const uint64_t RX_QINQ_STRIPPED = RTE_MBUF_F_RX_QINQ_STRIPPED;
static const uint64_t RX_IP_CKSUM_MASK = RTE_MBUF_F_RX_IP_CKSUM_MASK;
static const uint64_t RX_IP_CKSUM_BAD = RTE_MBUF_F_RX_IP_CKSUM_BAD;
static const uint64_t RX_IP_CKSUM_GOOD = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
static const uint64_t RX_IP_CKSUM_NONE = RTE_MBUF_F_RX_IP_CKSUM_NONE;
static const uint64_t RX_L4_CKSUM_MASK = RTE_MBUF_F_RX_L4_CKSUM_MASK;
static const uint64_t RX_L4_CKSUM_BAD = RTE_MBUF_F_RX_L4_CKSUM_BAD;
static const uint64_t RX_L4_CKSUM_GOOD = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
static const uint64_t RX_L4_CKSUM_NONE = RTE_MBUF_F_RX_L4_CKSUM_NONE;

/* What a port can be asked to do on receive (rte_eth_rxmode.offloads). */
static const uint64_t OFFLOAD_VLAN_STRIP = RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
static const uint64_t OFFLOAD_QINQ_STRIP = RTE_ETH_RX_OFFLOAD_QINQ_STRIP;
static const uint64_t OFFLOAD_IPV4_CKSUM = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
static const uint64_t OFFLOAD_TCP_CKSUM = RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
static const uint64_t OFFLOAD_UDP_CKSUM = RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
static const uint64_t OFFLOAD_SCATTER = RTE_ETH_RX_OFFLOAD_SCATTER;
static const uint64_t OFFLOAD_TIMESTAMP = RTE_ETH_RX_OFFLOAD_TIMESTAMP;
static const uint64_t OFFLOAD_RSS_HASH = RTE_ETH_RX_OFFLOAD_RSS_HASH;

/* Hash functions (rte_eth_rss_conf.rss_hf). */
static const uint64_t HASH_IP = RTE_ETH_RSS_IP;
static const uint64_t HASH_TCP = RTE_ETH_RSS_TCP;
static const uint64_t HASH_UDP = RTE_ETH_RSS_UDP;
static const uint64_t HASH_SCTP = RTE_ETH_RSS_SCTP;

static const uint32_t SPEED_UNKNOWN = RTE_ETH_SPEED_NUM_UNKNOWN;
static const uint16_t LINK_UP = RTE_ETH_LINK_UP;
static const uint16_t LINK_FULL_DUPLEX = RTE_ETH_LINK_FULL_DUPLEX;
static const uint16_t LINK_AUTONEG = RTE_ETH_LINK_AUTONEG;
static const int ANY_SOCKET = SOCKET_ID_ANY;
static const unsigned int ANY_LCORE = LCORE_ID_ANY;
static const uint16_t HEADROOM = RTE_PKTMBUF_HEADROOM;
static const unsigned int RING_SINGLE_PRODUCER = RING_F_SP_ENQ;
static const unsigned int RING_SINGLE_CONSUMER = RING_F_SC_DEQ;
static const unsigned int RING_EXACT_SIZE = RING_F_EXACT_SZ;
static const unsigned int MAX_PORTS = RTE_MAX_ETHPORTS;
