// Calls grpc_server.py as another implementation does. Usage: node grpc_client.js ADDRESS:PORT
'use strict';
const assert = require('node:assert');
const grpc = require('@grpc/grpc-js');

const plain = (bytes) => bytes;
const client = new grpc.Client(process.argv[2], grpc.credentials.createInsecure());

const get = (text) =>
  new Promise((resolve, reject) =>
    client.makeUnaryRequest('/shop.Cart/Get', plain, plain, Buffer.from(text), (error, answer) =>
      error ? reject(error) : resolve(answer.toString())));

const list = (count) =>
  new Promise((resolve, reject) => {
    let seen = 0;
    const stream = client.makeServerStreamRequest('/shop.Cart/List', plain, plain, Buffer.from(`${count}`));
    stream.on('data', () => (seen += 1));
    stream.on('error', reject);
    stream.on('end', () => resolve(seen));
  });

const main = async () => {
  assert.strictEqual(await get('js'), 'got js');
  assert.strictEqual(await list(3), 3);
  await assert.rejects(get('nothing'), { code: grpc.status.NOT_FOUND });
  client.close();
};

main();
