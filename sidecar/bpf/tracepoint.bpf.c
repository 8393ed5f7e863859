/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The backend for kernels that offer neither tracepoints behind every operation of a socket nor trampolines: one program
 * at the end of every system call. Registers hold what the call was given until it has returned, so nothing need be
 * remembered from its beginning, and calls that waited since before the program came are told of like any other. */
#define PLAIN_POINTERS
#include "compat.h"
#include "lifetime.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define S_IFMT 0170000
#define S_IFSOCK 0140000

/* Messages of one call that are looked at; a power of two. */
#define MESSAGES_MAX 64

/* The socket that is open as `fd`, and the number of its inode. The call has just used it, so the table of files, which
 * never shrinks, has it. */
static __always_inline struct sock *socket_of(struct task_struct *task, __u32 fd, __u64 *number)
{
    struct files_struct *files = READ(task, files);
    struct fdtable *table = READ(files, fdt);
    struct file **place = READ(table, fd) + fd, *file = 0;
    struct socket *socket;
    struct inode *inode;

    if (bpf_probe_read_kernel(&file, sizeof(file), place) || !file)
        return 0;
    inode = READ(file, f_inode);
    if ((READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
        return 0;
    *number = READ(inode, i_ino);
    socket = READ(file, private_data);
    return READ(socket, sk);
}

/* Where and what in a call: a bit for the direction, one for all messages at once, the number of the message, and those
 * flags of the call that mean something here. */
#define HOW(moved, scattered, message) ((moved)->flags << 16 | (message) << 2 | (scattered) << 1 | (moved)->direction)
#define HOW_MESSAGE(how) ((how) >> 2 & (MESSAGES_MAX - 1))
#define HOW_FLAGS(how) ((how) >> 16)

/* What follows are functions of their own, of numbers alone: the verifier looks at each but once, whoever calls it, and
 * each has its own share of the stack. */
__noinline int on_stream_call(__u64 sk, __u64 regs, __u32 len, __u32 how, __u64 inode)
{
    struct caller caller = {
        .task = current_task(),
        .regs = (struct pt_regs *)regs,
        .inode = inode,
        .is_scattered = how >> 1 & 1,
    };

    return on_data((struct sock *)sk, &caller, len, how & 1, HOW_FLAGS(how));
}

__noinline int on_datagram_call(__u64 sk, __u64 regs, __u32 len, __u32 how, __u64 inode)
{
    struct caller caller = {
        .task = current_task(),
        .regs = (struct pt_regs *)regs,
        .inode = inode,
        .message = HOW_MESSAGE(how),
    };

    return on_datagram((struct sock *)sk, &caller, len, how & 1, HOW_FLAGS(how));
}

/* What a system call did that is over. */
struct moved {
    struct sock *sk;
    __u32 flags;
    __u8 direction;
    /* The result is a number of messages. */
    bool many;
};

static __always_inline __u32 message_len(const struct caller *caller, __u32 n)
{
    struct user_mmsghdr *messages = (struct user_mmsghdr *)ARGUMENT2(caller->regs);
    __u32 len = 0;

    bpf_probe_read_user(&len, sizeof(len), &messages[n].len);
    return len;
}

/* A call has moved `count_all` messages. Of a stream, where messages mean nothing, all of it is one, whose bytes lie in
 * too many places. */
static __always_inline int on_messages(const struct moved *moved, const struct caller *caller, __u32 count_all)
{
    __u64 sk = (__u64)moved->sk, regs = (__u64)caller->regs;
    bool is_of_datagrams = is_datagram(moved->sk);
    __u32 n, len, all = 0;

    if (!is_of_datagrams && !is_stream(moved->sk))
        return 0;
#pragma clang loop unroll(disable)
    for (n = 0; n < MESSAGES_MAX && n < count_all; n++) {
        len = message_len(caller, n);
        all += len;
        if (is_of_datagrams)
            on_datagram_call(sk, regs, len, HOW(moved, 0, n), caller->inode);
    }
    if (n < count_all)
        count_some(COUNTER_MESSAGES_LOST, count_all - n);
    if (is_of_datagrams)
        return 0;
    return on_stream_call(sk, regs, all, HOW(moved, count_all > 1, 0), caller->inode);
}

/* Finds out by the call's number. */
static __always_inline void find_moved(struct moved *moved, struct caller *caller, long number)
{
    struct pt_regs *regs = caller->regs;

    moved->direction = RECEIVED;
    switch (number) {
    case SYS_read:
    case SYS_readv:
    case SYS_preadv2:
        break;
    case SYS_write:
    case SYS_writev:
    case SYS_pwritev2:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendfile:
        moved->direction = SENT;
        break;
    case SYS_recvfrom:
        moved->flags = ARGUMENT4(regs);
        break;
    case SYS_recvmsg:
        moved->flags = ARGUMENT3(regs);
        break;
    case SYS_recvmmsg:
        moved->flags = ARGUMENT4(regs);
        moved->many = true;
        break;
    case SYS_sendmmsg:
        moved->direction = SENT;
        moved->many = true;
        break;
    case SYS_splice:
        /* Between a socket and a pipe, either way. */
        moved->sk = socket_of(caller->task, ARGUMENT3(regs), &caller->inode);
        if (moved->sk) {
            moved->direction = SENT;
            return;
        }
        break;
    default:
        return;
    }
    moved->sk = socket_of(caller->task, ARGUMENT1(regs), &caller->inode);
}

SEC("raw_tp/sys_exit")
int BPF_PROG(returned, struct pt_regs *regs, long ret)
{
    struct caller caller = {.task = current_task(), .regs = regs};
    struct moved moved = {};
    long number;
    __u32 fd;

    if (ret < 0)
        return 0;
    number = SYSCALL(regs);
    if (IS_COMPAT(caller.task)) {
        if (moves_by_compat(regs, number, &moved.direction, &fd))
            moved.sk = socket_of(caller.task, fd, &caller.inode);
    } else {
        find_moved(&moved, &caller, number);
    }
    if (!moved.sk)
        return 0;
    if (moved.many)
        return on_messages(&moved, &caller, ret);
    if (is_stream(moved.sk))
        return on_stream_call((__u64)moved.sk, (__u64)regs, ret, HOW(&moved, 0, 0), caller.inode);
    if (is_datagram(moved.sk))
        return on_datagram_call((__u64)moved.sk, (__u64)regs, ret, HOW(&moved, 0, 0), caller.inode);
    return 0;
}

/* 6.3 and newer. */
SEC("raw_tp/sk_data_ready")
int BPF_PROG(arrived, struct sock *sk)
{
    return on_arrival(sk);
}

/* Before that, and of TCP only: a segment has come. One that only acknowledges brings no data. */
SEC("raw_tp/tcp_probe")
int BPF_PROG(segment_arrived, struct sock *sk, struct sk_buff *segment)
{
    unsigned char *head = READ(segment, head) + READ(segment, transport_header);
    __u8 offset = 0;

    /* The upper half of byte 12: the header's length in words (RFC 9293, 3.1). */
    if (bpf_probe_read_kernel(&offset, 1, head + 12) || READ(segment, len) <= (offset >> 4) * 4U)
        return 0;
    return on_arrival(sk);
}
