/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Probes on functions of TLS libraries; see tls.h. User space puts them into files. */
#include "tls.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#if defined(__TARGET_ARCH_x86)
#define STACK(r) ((r)->sp)
#define RESULT(r) ((r)->ax)
#define C_ARGUMENT1(r) ((r)->di)
#define C_ARGUMENT2(r) ((r)->si)
#define C_ARGUMENT4(r) ((r)->cx)
#define C_ARGUMENT5(r) ((r)->r8)
/* The call has put its return address on the stack, and the return has taken it. */
#define RETURN_ADDRESS 8
/* Arguments and results of Go functions (ABIInternal). */
#define GO_ARGUMENT1(r) ((r)->ax)
#define GO_ARGUMENT2(r) ((r)->bx)
#elif defined(__TARGET_ARCH_arm64)
#define STACK(r) ((r)->sp)
#define RESULT(r) ((r)->regs[0])
#define C_ARGUMENT1(r) ((r)->regs[0])
#define C_ARGUMENT2(r) ((r)->regs[1])
#define C_ARGUMENT4(r) ((r)->regs[3])
#define C_ARGUMENT5(r) ((r)->regs[4])
#define RETURN_ADDRESS 0
#define GO_ARGUMENT1(r) ((r)->regs[0])
#define GO_ARGUMENT2(r) ((r)->regs[1])
#endif

/* Fills an event with room for `room` bytes and hands it over. Unlike socket operations, calls of libraries interrupt
 * each other on a CPU, so there is no scratch memory: what lies behind the bytes goes with them. */
static __always_inline void tls_put(void *place, const struct event_plain *head, __u64 buffer, __u64 room)
{
    struct event_plain *event = place;
    __u64 wanted = head->captured;

    *event = *head;
    /* It fits, as the compiler knows; the verifier wants to see it. */
    barrier_var(wanted);
    if (wanted > room)
        wanted = room;
    if (wanted && bpf_probe_read_user(event + 1, wanted, (void *)buffer)) {
        event->captured = 0;
        event->missing = MISSING_UNREADABLE;
    }
    if (event->missing != MISSING_NONE)
        count(COUNTER_MISSING + event->missing - MISSING_LIMIT);
    count_some(COUNTER_PLAIN_BYTES, head->len);
    count(COUNTER_PLAIN);
    bpf_ringbuf_submit(place, BPF_RB_NO_WAKEUP);
}

#define TLS_PUT_IF_FITS(head, buffer, room)                                        \
    if ((head)->captured <= (room)) {                                              \
        void *place = bpf_ringbuf_reserve(&events, sizeof(*(head)) + (room), 0);   \
        if (place)                                                                 \
            return tls_put(place, head, buffer, room);                             \
        count(COUNTER_PLAIN_LOST);                                                 \
        return count_some(COUNTER_PLAIN_BYTES_LOST, (head)->len);                  \
    }

static __always_inline void tls_put_sized(const struct event_plain *head, __u64 buffer)
{
    TLS_PUT_IF_FITS(head, buffer, 256)
    TLS_PUT_IF_FITS(head, buffer, 1024)
    TLS_PUT_IF_FITS(head, buffer, 4096)
    TLS_PUT_IF_FITS(head, buffer, 16384)
    TLS_PUT_IF_FITS(head, buffer, CAPTURE_MAX)
}

/* Tells `count` plain bytes at `buffer`, 0 where there is none to read. */
static __always_inline void tls_tell(const struct tls_call *call, struct tls_object *object, __u64 buffer, __u64 count)
{
    __u8 direction = tls_direction(call->how);
    struct event_plain head;

    __builtin_memset(&head, 0, sizeof(head));
    head.kind = EVENT_PLAIN;
    head.direction = direction;
    head.library = call->how >> TLS_LIBRARY_SHIFT;
    head.pid = current_pid();
    head.cookie = object->cookie;
    /* Written before the library's ciphertext, read after it. */
    head.time_ns = direction == SENT ? call->started_ns : bpf_ktime_get_boot_ns();
    head.object = call->object;
    head.epoch_ns = object->epoch_ns;
    head.offset = object->offset[direction & 1];
    head.other_offset = object->offset[!direction];
    if (direction == SENT && object->is_sending)
        head.other_offset = object->received_before;
    head.seq = call->seq;
    head.seq_known = call->flags & TLS_SEQ_KNOWN;
    head.is_sending = direction == RECEIVED && object->is_sending;
    head.len = count;
    object->offset[direction & 1] += count;
    if (!buffer) {
        head.missing = MISSING_NO_MEMORY;
    } else {
        head.captured = count < settings.capture_max ? count : settings.capture_max;
        if (head.captured > CAPTURE_MAX)
            head.captured = CAPTURE_MAX;
        if (head.captured < count)
            head.missing = MISSING_LIMIT;
    }
    tls_put_sized(&head, buffer);
}

/* A call has moved `count` bytes that lie at `buffer`. */
static __always_inline void tls_moved(struct tls_call *call, struct tls_object *object, __u64 buffer, __u64 count)
{
    if (call->cookie && object->cookie && object->cookie != call->cookie) {
        /* Another object by the address of one that is gone, or a library that was given another socket. */
        object->epoch_ns = call->started_ns;
        object->offset[SENT] = object->offset[RECEIVED] = 0;
    }
    if (call->cookie)
        object->cookie = call->cookie;
    if (count && object->cookie != TLS_UNWANTED)
        tls_tell(call, object, buffer, count);
    if (tls_moves(call->how) && tls_direction(call->how) == SENT)
        object->is_sending = false;
}

SEC("uprobe")
int tls_enter(struct pt_regs *regs)
{
    struct tls_thread *thread = tls_thread_of(current_task(), true);
    __u64 frame = STACK(regs), fourth = C_ARGUMENT4(regs), fifth = C_ARGUMENT5(regs);
    struct tls_call *call;

    if (!thread) {
        count(COUNTER_TLS_NO_CALL);
        return 0;
    }
    call = &thread->call;
    /* Functions of a library call each other, and those called last share a frame: the outermost call counts. One
     * whose frame is gone has returned unseen. */
    if (call->object && frame <= call->frame)
        return 0;
    call->object = C_ARGUMENT1(regs);
    call->frame = frame;
    call->how = bpf_get_attach_cookie(regs);
    call->buffer = C_ARGUMENT2(regs);
    call->count_at = call->how & TLS_COUNT_BY_FIFTH ? fifth : fourth;
    call->started_ns = bpf_ktime_get_boot_ns();
    call->cookie = 0;
    call->seq = 0;
    call->flags = 0;
    if ((call->how & TLS_OPERATION) == TLS_SENDFILE)
        call->buffer = 0;
    if (tls_moves(call->how))
        thread->unsent_object = 0;
    return 0;
}

/* Without a socket operation in it, a call's object belongs to the socket that it was told of before; else the
 * application carries the ciphertext itself, and the socket is that of the thread's nearest ciphertext, if its records
 * are as long as these plain bytes make them. */
static __always_inline void tls_guess_socket(struct tls_thread *thread, struct tls_call *call,
                                             const struct tls_object *object, __u64 count)
{
    int i;

    if ((call->how & TLS_OPERATION) != TLS_READ) {
        if (!object->cookie) {
            thread->unsent_object = call->object;
            thread->unsent_len = count;
        }
        return;
    }
    if (!thread->received_cookie || (object->cookie && object->cookie != thread->received_cookie))
        return;
    for (i = 0; i < TLS_RECORDS; i++) {
        if (!(call->flags & TLS_SEQ_KNOWN) && tls_record_holds(thread->received_lens[i], count)) {
            call->cookie = thread->received_cookie;
            call->seq = thread->received_seqs[i];
            call->flags |= TLS_SEQ_KNOWN;
        }
    }
}

SEC("uretprobe")
int tls_return(struct pt_regs *regs)
{
    struct tls_thread *thread = tls_thread_of(current_task(), false);
    __u64 buffer, moved = 0;
    struct tls_object *object;
    struct tls_call call;
    struct tls_key key;
    __s64 result = RESULT(regs);

    if (!thread || !thread->call.object || STACK(regs) != thread->call.frame + RETURN_ADDRESS)
        return 0;
    call = thread->call;
    thread->call.object = 0;
    if (call.how & TLS_RESULT_IS_INT)
        result = (__s32)result;
    if (tls_moves(call.how) && result > 0) {
        if (!(call.how & (TLS_COUNT_BY_FOURTH | TLS_COUNT_BY_FIFTH)))
            moved = result;
        else if (bpf_probe_read_user(&moved, sizeof(moved), (void *)call.count_at))
            count(COUNTER_TLS_NO_COUNT);
    }
    /* Failed, and nothing learned of the socket: but perhaps it is to be repeated. */
    if (!moved && !call.cookie && !((call.how & TLS_OPERATION) == TLS_WRITE && result < 0))
        return 0;
    key = tls_key_of(call.object);
    object = tls_object_of(&key);
    if (!object)
        return 0;
    buffer = call.buffer;
    if ((call.how & TLS_OPERATION) == TLS_WRITE) {
        if (!buffer)
            buffer = object->retry_buffer;
        object->retry_buffer = result < 0 ? buffer : 0;
    }
    if (moved && !call.cookie)
        tls_guess_socket(thread, &call, object, moved);
    tls_moved(&call, object, buffer, moved);
    return 0;
}

/* Frees an object: what has its address next is another one. */
SEC("uprobe")
int tls_forget(struct pt_regs *regs)
{
    struct tls_key key = tls_key_of(C_ARGUMENT1(regs));

    bpf_map_delete_elem(&tls_objects, &key);
    return 0;
}

/* What a goroutine begins with (type g, runtime/runtime2.go): the bounds of its stack, which the runtime moves. */
struct go_stack {
    __u64 low;
    __u64 high;
};

SEC("uprobe")
int tls_go_enter(struct pt_regs *regs)
{
    struct tls_key key = tls_key_of(regs->GOROUTINE);
    struct tls_call call, *earlier;
    __u32 first = 0, *seen;
    struct go_stack stack;

    if (bpf_probe_read_user(&stack, sizeof(stack), (void *)key.pointer)) {
        count(COUNTER_TLS_NO_CALL);
        return 0;
    }
    __builtin_memset(&call, 0, sizeof(call));
    call.frame = stack.high - STACK(regs);
    earlier = bpf_map_lookup_elem(&tls_go_calls, &key);
    if (earlier && call.frame > earlier->frame)
        return 0;
    call.object = GO_ARGUMENT1(regs);
    call.buffer = GO_ARGUMENT2(regs);
    call.how = bpf_get_attach_cookie(regs);
    call.started_ns = bpf_ktime_get_boot_ns();
    if (call.buffer >= stack.low && call.buffer < stack.high) {
        call.buffer = stack.high - call.buffer;
        call.flags = TLS_ON_STACK;
    }
    seen = bpf_map_lookup_elem(&tls_go_seen, &first);
    if (seen && !*seen)
        *seen = 1;
    if (bpf_map_update_elem(&tls_go_calls, &key, &call, BPF_ANY))
        count(COUNTER_TLS_NO_CALL);
    return 0;
}

/* At a function's return instructions: a return address written on the stack by a return probe would end a Go program
 * when its runtime walks or moves that stack. */
SEC("uprobe")
int tls_go_return(struct pt_regs *regs)
{
    struct tls_key key = tls_key_of(regs->GOROUTINE);
    struct tls_call call, *found = bpf_map_lookup_elem(&tls_go_calls, &key);
    __s64 moved = RESULT(regs);
    struct tls_object *object;
    struct go_stack stack;

    if (!found || bpf_probe_read_user(&stack, sizeof(stack), (void *)key.pointer) ||
        found->frame != stack.high - STACK(regs))
        return 0;
    call = *found;
    bpf_map_delete_elem(&tls_go_calls, &key);
    if (!tls_moves(call.how) || moved < 0)
        moved = 0;
    if (!moved && !call.cookie)
        return 0;
    key.pointer = call.object;
    object = tls_object_of(&key);
    if (object)
        tls_moved(&call, object, call.flags & TLS_ON_STACK ? stack.high - call.buffer : call.buffer, moved);
    return 0;
}

/* The dynamic loader calls this after each change of what a process has mapped. */
SEC("uprobe")
int tls_loaded(struct pt_regs *regs)
{
    tls_look(TLS_LOOK_NEW);
    return 0;
}

/* A program begins, perhaps one with everything in it. */
TRACEPOINT("sched_process_exec")
int tls_exec(void *context)
{
    tls_look(TLS_LOOK_NEW);
    return 0;
}
