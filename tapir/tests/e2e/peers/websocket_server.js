// Sends every message back. Usage: node websocket_server.js ADDRESS PORT
'use strict';
const { WebSocketServer } = require('ws');

const [host, port] = process.argv.slice(2);
const server = new WebSocketServer({ host, port: Number(port), perMessageDeflate: true });
server.on('connection', (socket) => {
  socket.on('message', (message, binary) => socket.send(message, { binary }));
});
