//! net_null: a port that always has packets, for what does not depend on their bytes.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use dpdk_bindings::{
    BURST_SIZE, Burst, CpuId, Eal, EalConfig, Error, HugeSlice, Lcore, Mbuf, Mempool, MempoolConfig, Port,
    PortConfig, ring, tsc,
};

#[test]
fn from_eal_to_packets() {
    let cpus = std::thread::available_parallelism().unwrap();
    let eal = common::eal(&["net_null0,size=128", "net_null1"]);
    assert_eq!(
        std::thread::available_parallelism().unwrap(),
        cpus,
        "the caller is not pinned"
    );
    assert_eq!(Lcore::current(), None, "the caller is no lcore, EAL's thread is");
    assert_eq!(
        Eal::init(&EalConfig::new().no_huge()).unwrap_err(),
        Error::AlreadyInitialised
    );
    assert!(!eal.sockets().is_empty());

    ports(eal);
    pools_and_packets(eal);
    lcores(eal);
    huge_slices(eal);
    rings(eal);
    clock(eal);
}

fn ports(eal: Eal) {
    let names: Vec<_> = Port::list(eal)
        .unwrap()
        .into_iter()
        .map(|port| (port.name, port.driver))
        .collect();
    assert_eq!(
        names,
        [
            ("net_null0".into(), "net_null".into()),
            ("net_null1".to_owned(), "net_null".to_owned())
        ]
    );
    let error = Port::by_name(eal, "net_null7").unwrap_err().to_string();
    assert_eq!(error, "port net_null7: not found; DPDK has net_null0, net_null1");

    let mut port = Port::by_name(eal, "net_null1").unwrap();
    assert_eq!(
        Port::open(eal, port.info().id).unwrap_err(),
        Error::PortInUse(port.info().id)
    );
    assert!(port.start().is_err(), "not configured");
    let pool = Mempool::new(
        eal,
        "ports",
        MempoolConfig {
            mbufs: 2047,
            ..Default::default()
        },
    )
    .unwrap();
    let too_many = PortConfig {
        rx_queues: 5000,
        ..Default::default()
    };
    let error = port
        .configure(&too_many, std::slice::from_ref(&pool))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("configure port 1 (net_null1) with 5000 RX queues: it can have 1 to "),
        "{error}"
    );

    let grant = port
        .configure(
            &PortConfig {
                rx_queues: 2,
                ..Default::default()
            },
            &[pool],
        )
        .unwrap();
    assert_eq!((grant.rx_queues, grant.mtu, grant.may_truncate), (2, 1500, false));
    let queues = port.start().unwrap();
    assert_eq!(
        queues.rx.iter().map(|queue| queue.index()).collect::<Vec<_>>(),
        [0, 1]
    );
    assert!(port.start().is_err(), "it runs, and its queues are out");
    assert_eq!(
        port.stop().unwrap_err(),
        Error::QueuesHeld {
            port: port.info().id,
            held: 2
        }
    );
    assert!(port.link().unwrap().up);
    // This driver has a key, though it hashes nothing, and takes it only while it runs.
    let rss = grant.rss.unwrap();
    assert_eq!(
        (rss.functions & !port.info().rss_functions, rss.key_size),
        (0, 40)
    );
    assert!(port.has_symmetric_rss());
    drop(queues);
    port.stop().unwrap();
    assert!(!port.has_symmetric_rss());
    assert_eq!(port.start().unwrap().rx.len(), 2);
}

fn pools_and_packets(eal: Eal) {
    let size = 1023;
    let pool = Mempool::new(
        eal,
        "packets",
        MempoolConfig {
            mbufs: size,
            cache: 32,
            ..Default::default()
        },
    )
    .unwrap();
    let error = Mempool::new(eal, "packets", MempoolConfig::default())
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("EEXIST File exists"), "{error}");
    assert!(Mempool::new(eal, "a name that is longer than DPDK's", MempoolConfig::default()).is_err());

    let mut port = Port::by_name(eal, "net_null0").unwrap();
    port.configure(
        &PortConfig {
            rx_descriptors: 64,
            ..Default::default()
        },
        std::slice::from_ref(&pool),
    )
    .unwrap();
    let mut queue = port.start().unwrap().rx.remove(0);
    let mut burst = Burst::new();
    for _ in 0..100 {
        assert_eq!(
            queue.receive(&mut burst),
            BURST_SIZE,
            "net_null always has a burst"
        );
        burst.prefetch_headers();
        burst.prefetch_data();
        assert!(
            burst
                .iter()
                .all(|packet| packet.len() == 128 && packet.data().len() == 128)
        );
    }
    let packet = burst.get(BURST_SIZE - 1).unwrap();
    assert_eq!(
        (packet.timestamp(), packet.rss_hash(), packet.stripped_vlan()),
        (None, None, None)
    );
    assert_eq!(packet.port(), port.info().id);
    assert!(burst.get(BURST_SIZE).is_none());

    // Held packets outlive their burst, as long as the pool lasts.
    let mut held = Vec::new();
    while queue.receive(&mut burst) == BURST_SIZE {
        held.push(burst.take(5).unwrap());
        assert!(burst.get(5).is_none() && burst.take(5).is_none());
        assert_eq!(burst.iter().count(), BURST_SIZE - 1);
    }
    assert!(held.len() > 500, "held {} of {size}", held.len());
    assert!(held.iter().all(|packet| packet.data().len() == 128));
    burst.clear();
    drop((held, queue, port));
    assert_eq!(pool.available(), size);

    let first = pool.packet_from(b"twice held").unwrap();
    let second = first.share();
    assert_eq!(first, second);
    drop(first);
    assert_eq!((second.data(), pool.in_use()), (&b"twice held"[..], 1));
    std::thread::spawn(move || drop(second)).join().unwrap();
    assert_eq!(pool.available(), size);

    // Longer than a buffer: a chain, whose sharing and freeing is that of every segment.
    let long: Vec<u8> = (0..7000_u32).map(|index| index as u8).collect();
    let chain = pool.packet_from(&long).unwrap();
    assert_eq!((chain.len(), chain.segment_count(), pool.in_use()), (7000, 4, 4));
    assert_eq!(chain.segments().collect::<Vec<_>>().concat(), long);
    let shared = chain.share();
    drop(chain);
    assert_eq!(shared.segments().map(<[u8]>::len).sum::<usize>(), 7000);
    assert!(burst.push(shared).is_ok());
    burst.clear();
    assert_eq!(pool.in_use(), 0);

    let too_small = Mempool::new(
        eal,
        "small",
        MempoolConfig {
            mbufs: 255,
            ..Default::default()
        },
    );
    assert!(too_small.unwrap_err().to_string().contains("a cache of 256"));

    let all: Vec<Mbuf> = std::iter::from_fn(|| pool.packet_from(b"")).collect();
    assert_eq!(all.len(), size as usize);
    assert!(all.iter().all(|packet| packet.len() == 0));
    drop(all);
    assert_eq!(pool.in_use(), 0);
}

fn lcores(eal: Eal) {
    let pool = Mempool::new(eal, "lcores", MempoolConfig::default()).unwrap();
    std::thread::spawn(move || {
        let cpus = std::thread::available_parallelism().unwrap();
        let lcore = Lcore::enter(eal, CpuId(0)).unwrap();
        assert_eq!(Lcore::current(), Some(lcore.id()));
        assert_eq!(lcore.cpu(), CpuId(0));
        assert!(Lcore::enter(eal, CpuId(0)).is_err(), "registered already");
        // Goes to this lcore's cache, and counts as back.
        drop(pool.packet_from(b"x").unwrap());
        assert_eq!(pool.in_use(), 0);
        assert_eq!(std::thread::available_parallelism().unwrap().get(), 1, "pinned");
        drop(lcore);
        assert_eq!(Lcore::current(), None);
        assert_eq!(std::thread::available_parallelism().unwrap(), cpus, "as before");
        assert!(Lcore::enter(eal, CpuId(5000)).is_err());
        let error = Lcore::enter(eal, CpuId(1023)).unwrap_err().to_string();
        assert!(error.contains("EINVAL"), "{error}");
    })
    .join()
    .unwrap();
}

fn huge_slices(eal: Eal) {
    let mut slice = HugeSlice::<[u64; 8]>::zeroed(eal, 1000, None).unwrap();
    assert_eq!((slice.len(), slice.as_ptr().addr() % 64), (1000, 0));
    assert!(slice.iter().flatten().all(|word| *word == 0));
    slice[999][7] = 1;
    assert_eq!(slice[999][7], 1);
    drop(slice);
    assert!(
        HugeSlice::<[u64; 8]>::zeroed(eal, 1000, None)
            .unwrap()
            .iter()
            .flatten()
            .all(|word| *word == 0)
    );
    assert!(HugeSlice::<u64>::zeroed(eal, 0, None).unwrap().is_empty());
    let error = HugeSlice::<u64>::zeroed(eal, 1 << 40, None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("ENOMEM"), "{error}");
    assert!(HugeSlice::<u64>::zeroed(eal, usize::MAX, None).is_err());
}

fn rings(eal: Eal) {
    let pool = Mempool::new(eal, "rings", MempoolConfig::default()).unwrap();
    let (mut producer, mut consumer) = ring(eal, "small", 50, None).unwrap();
    assert!(ring(eal, "small", 50, None).is_err(), "the name is in use");
    assert!(ring(eal, "empty", 0, None).is_err());
    let mut burst = Burst::new();
    let fill = |burst: &mut Burst, count: u8| {
        (0..count).for_each(|number| burst.push(pool.packet_from(&[number]).unwrap()).unwrap());
    };
    fill(&mut burst, BURST_SIZE as u8);
    assert!(burst.is_full() && burst.push(pool.packet_from(b"one more").unwrap()).is_err());
    assert_eq!(producer.send(&mut burst), BURST_SIZE);
    assert!(burst.is_empty());

    // Only packets go in, not the places of taken ones; those there is no room for stay, in order.
    fill(&mut burst, 22);
    drop(burst.take(0));
    assert_eq!(producer.send(&mut burst), 18);
    assert_eq!(
        burst.iter().map(|packet| packet.data()[0]).collect::<Vec<_>>(),
        [19, 20, 21]
    );
    assert_eq!((producer.len(), consumer.len()), (50, 50));

    let order = std::thread::spawn(move || {
        let (mut burst, mut order) = (Burst::new(), Vec::new());
        while consumer.receive(&mut burst) > 0 {
            order.extend(burst.iter().map(|packet| packet.data()[0]));
        }
        (order, consumer)
    });
    let (order, consumer) = order.join().unwrap();
    assert_eq!(order, (0..BURST_SIZE as u8).chain(1..19).collect::<Vec<u8>>());

    // What lies in a ring when both ends are gone goes back to its pool.
    assert_eq!(producer.send(&mut burst), 3);
    assert_eq!(pool.in_use(), 3);
    drop((producer, consumer));
    assert_eq!(pool.in_use(), 0);
}

fn clock(eal: Eal) {
    let before = tsc::now();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let seconds = (tsc::now() - before) as f64 / eal.tsc_hz() as f64;
    assert!((0.015..1.0).contains(&seconds), "{seconds} s");
}
