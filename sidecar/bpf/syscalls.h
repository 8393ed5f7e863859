/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Numbers and registers of the system calls that move data (arch/x86/entry/syscalls/syscall_64.tbl,
 * include/uapi/asm-generic/unistd.h), and the structures in user memory that they name. */
#pragma once

#include "pointers.h"

#if defined(__TARGET_ARCH_x86)
enum syscall {
    SYS_read = 0,
    SYS_write = 1,
    SYS_readv = 19,
    SYS_writev = 20,
    SYS_sendfile = 40,
    SYS_sendto = 44,
    SYS_recvfrom = 45,
    SYS_sendmsg = 46,
    SYS_recvmsg = 47,
    SYS_splice = 275,
    SYS_recvmmsg = 299,
    SYS_sendmmsg = 307,
    SYS_preadv2 = 327,
    SYS_pwritev2 = 328,
};
/* The call came by the 32-bit entry: its numbers and structures are others (TS_COMPAT). */
#define IS_COMPAT(task) (READ(task, thread_info.status) & 2)
#define SYSCALL(regs) ((long)READ(regs, orig_ax))
/* Until the result takes its place, -ENOSYS stands there (arch/x86/entry). */
#define IS_UNDER_WAY(regs) ((long)READ(regs, ax) == -38)
#define ARGUMENT1(regs) READ(regs, di)
#define ARGUMENT2(regs) READ(regs, si)
#define ARGUMENT3(regs) READ(regs, dx)
#define ARGUMENT4(regs) READ(regs, r10)
#define ARGUMENT5(regs) READ(regs, r8)
#elif defined(__TARGET_ARCH_arm64)
enum syscall {
    SYS_read = 63,
    SYS_write = 64,
    SYS_readv = 65,
    SYS_writev = 66,
    SYS_sendfile = 71,
    SYS_splice = 76,
    SYS_sendto = 206,
    SYS_recvfrom = 207,
    SYS_sendmsg = 211,
    SYS_recvmsg = 212,
    SYS_recvmmsg = 243,
    SYS_sendmmsg = 269,
    SYS_preadv2 = 286,
    SYS_pwritev2 = 287,
};
/* TIF_32BIT. */
#define IS_COMPAT(task) (READ(task, thread_info.flags) & (1UL << 22))
#define SYSCALL(regs) ((long)READ(regs, syscallno))
/* The result takes the place of an argument, which it may equal: that can't be told. */
#define IS_UNDER_WAY(regs) false
/* Where the first one was, the result is when the call ends. */
#define ARGUMENT1(regs) READ(regs, orig_x0)
#define ARGUMENT2(regs) READ(regs, regs[1])
#define ARGUMENT3(regs) READ(regs, regs[2])
#define ARGUMENT4(regs) READ(regs, regs[3])
#define ARGUMENT5(regs) READ(regs, regs[4])
#endif

struct user_iovec {
    __u64 base;
    __u64 len;
};

struct user_msghdr {
    __u64 name;
    __u32 name_len;
    __u32 pad;
    __u64 iov;
    __u64 iov_len;
    __u64 control;
    __u64 control_len;
    __u32 flags;
    __u32 pad2;
};

struct user_mmsghdr {
    struct user_msghdr message;
    __u32 len;
    __u32 pad;
};

/* Socket addresses: struct sockaddr_in and sockaddr_in6, as far as they are alike. */
struct user_address {
    __u16 family;
    __be16 port;
    __u32 ip4;
    __u32 ip6[4];
    __u32 scope;
};
