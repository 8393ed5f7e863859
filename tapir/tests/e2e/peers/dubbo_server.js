// A Dubbo service for dubbo_client.js. Usage: node dubbo_server.js PORT
'use strict';
const { RpcServer } = require('sofa-rpc-node').server;
const protocol = require('dubbo-remoting');

const quiet = { info() {}, warn() {}, error() {}, debug() {}, log() {} };

const items = {
  async get(id) {
    if (id === 'nothing') throw new Error('no such item: nothing');
    return `got ${id}`;
  },
  // What the service throws itself, as a Java service does.
  async find() {
    return { $class: 'shop.NoSuchItemException', $: { code: 404, detailMessage: 'no such item: gone' } };
  },
  async count(bytes) {
    return bytes.length;
  },
  async list(count) {
    return Array.from({ length: count }, (_, i) => ({ $class: 'shop.Item', $: { id: i, name: `item ${i}` } }));
  },
};

const server = new RpcServer({ logger: quiet, port: Number(process.argv[2]), protocol });
server.addService({ interfaceName: 'shop.Items', version: '1.2.0' }, items);
server.start();
