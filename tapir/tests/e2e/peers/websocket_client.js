// Talks to websocket_server.js over two connections, one of them compressed. Usage: node websocket_client.js URL
'use strict';
const assert = require('node:assert');
const { once } = require('node:events');
const WebSocket = require('ws');

const url = process.argv[2];

// Sends the parts as frames of one message, and waits for the answer, which has one frame.
const echoed = async (socket, ...parts) => {
  const answered = once(socket, 'message');
  parts.forEach((part, at) => socket.send(part, { fin: at + 1 === parts.length }));
  const [answer] = await answered;
  assert.deepStrictEqual(answer, Buffer.concat(parts.map((part) => Buffer.from(part))));
};

const main = async () => {
  const plain = new WebSocket(`${url}/chat/1?room=2`, { perMessageDeflate: false });
  await once(plain, 'open');
  await echoed(plain, 'hello');
  await echoed(plain, Buffer.alloc(2000, 1));
  plain.ping();
  await once(plain, 'pong');
  await echoed(plain, 'one', 'two', 'three');
  plain.close(1000, 'bye');
  await once(plain, 'close');

  const small = new WebSocket(`${url}/chat/2`, { perMessageDeflate: { threshold: 0 } });
  await once(small, 'open');
  await echoed(small, 'x'.repeat(1000));
  small.close(4001);
  await once(small, 'close');
};

main();
