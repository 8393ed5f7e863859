/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* System calls of 32-bit processes, which have numbers of their own (arch/x86/entry/syscalls/syscall_32.tbl,
 * arch/arm/tools/syscall.tbl): as much as tells that data was moved, and on which socket. */
#pragma once

#include "events.h"
#include "syscalls.h"

#if defined(__TARGET_ARCH_x86)
enum compat_syscall {
    COMPAT_read = 3,
    COMPAT_write = 4,
    COMPAT_socketcall = 102,
    COMPAT_readv = 145,
    COMPAT_writev = 146,
    COMPAT_sendfile = 187,
    COMPAT_sendfile64 = 239,
    COMPAT_sendto = 369,
    COMPAT_sendmsg = 370,
    COMPAT_recvfrom = 371,
    COMPAT_recvmsg = 372,
};
#define COMPAT_ARGUMENT1(regs) READ(regs, bx)
#define COMPAT_ARGUMENT2(regs) READ(regs, cx)
#elif defined(__TARGET_ARCH_arm64)
enum compat_syscall {
    COMPAT_read = 3,
    COMPAT_write = 4,
    COMPAT_readv = 145,
    COMPAT_writev = 146,
    COMPAT_sendfile = 187,
    COMPAT_sendfile64 = 239,
    COMPAT_send = 289,
    COMPAT_sendto = 290,
    COMPAT_recv = 291,
    COMPAT_recvfrom = 292,
    COMPAT_sendmsg = 296,
    COMPAT_recvmsg = 297,
};
#define COMPAT_ARGUMENT1(regs) READ(regs, orig_x0)
#endif

#if defined(__TARGET_ARCH_x86)
/* socketcall(2): one call for all operations of sockets, whose arguments are in memory. */
static __always_inline bool of_socketcall(struct pt_regs *regs, __u8 *direction, __u32 *fd)
{
    switch ((__u32)COMPAT_ARGUMENT1(regs)) {
    case 9: /* send */
    case 11: /* sendto */
    case 16: /* sendmsg */
        *direction = SENT;
        break;
    case 10: /* recv */
    case 12: /* recvfrom */
    case 17: /* recvmsg */
        *direction = RECEIVED;
        break;
    default:
        return false;
    }
    return !bpf_probe_read_user(fd, sizeof(*fd), (void *)(__u64)(__u32)COMPAT_ARGUMENT2(regs));
}
#endif

/* Whether a call with this number may have moved data, if a 32-bit process made it; which way, and on which file. */
static __always_inline bool moves_by_compat(struct pt_regs *regs, long number, __u8 *direction, __u32 *fd)
{
    switch (number) {
    case COMPAT_write:
    case COMPAT_writev:
    case COMPAT_sendfile:
    case COMPAT_sendfile64:
    case COMPAT_sendto:
    case COMPAT_sendmsg:
#if defined(__TARGET_ARCH_arm64)
    case COMPAT_send:
#endif
        *direction = SENT;
        break;
    case COMPAT_read:
    case COMPAT_readv:
    case COMPAT_recvfrom:
    case COMPAT_recvmsg:
#if defined(__TARGET_ARCH_arm64)
    case COMPAT_recv:
#endif
        *direction = RECEIVED;
        break;
#if defined(__TARGET_ARCH_x86)
    case COMPAT_socketcall:
        return of_socketcall(regs, direction, fd);
#endif
    default:
        return false;
    }
    *fd = COMPAT_ARGUMENT1(regs);
    return true;
}
