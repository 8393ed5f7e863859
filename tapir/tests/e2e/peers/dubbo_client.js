// Calls dubbo_server.js. Usage: node dubbo_client.js ADDRESS:PORT [LARGE]
// LARGE is how long a large argument is (300000 bytes).
'use strict';
const assert = require('node:assert');
const { RpcClient } = require('sofa-rpc-node').client;
const protocol = require('dubbo-remoting');

const quiet = { info() {}, warn() {}, error() {}, debug() {}, log() {} };

const large = Number(process.argv[3] ?? 300000);

const main = async () => {
  const client = new RpcClient({ logger: quiet, protocol });
  const consumer = client.createConsumer({
    interfaceName: 'shop.Items',
    version: '1.2.0',
    group: '',
    serverHost: `dubbo://${process.argv[2]}?serialization=hessian2`,
  });
  await consumer.ready();
  const call = (method, args, requestProps) =>
    consumer.invoke(method, args, { requestProps, responseTimeout: 10000 });

  for (let i = 0; i < 20; i += 1) {
    assert.strictEqual(await call('get', [`item ${i}`]), `got item ${i}`);
  }
  await call('get', ['traced'], {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'x-request-id': 'r-17',
  });
  // Arguments of many segments before the attachments.
  await call('count', [Buffer.alloc(large, 7)], { b3: '80f198ee56343ba8-e457b5a2e4d86bd1-1' });
  await call('get', ['ten bytes '.repeat(large / 10)], { 'uber-trace-id': '3b9f:1c2:0:1' });
  await call('list', [large / 100]);
  await assert.rejects(call('get', ['nothing']));
  await assert.rejects(call('find', ['gone']), /no such item: gone/);
  await assert.rejects(call('steal', []));
  await Promise.all(Array.from({ length: large / 3000 }, (_, i) => call('get', [`item ${i}`])));
  process.exit(0);
};

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
