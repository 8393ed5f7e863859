// HTTPS by the OpenSSL in node: https.js serve PORT CERTIFICATE KEY, or https.js get URL...
const https = require("https");
const fs = require("fs");

const [what, ...rest] = process.argv.slice(2);
if (what === "serve") {
    const [port, certificate, key] = rest;
    const identity = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) };
    const hello = (request, answer) => answer.end(`hello from ${request.url}\n`);
    https.createServer(identity, hello).listen(Number(port), "127.0.0.1");
} else {
    // By one connection, one after the other.
    const options = { rejectUnauthorized: false, agent: new https.Agent({ keepAlive: true }) };
    const ask = (urls) => {
        if (urls.length === 0) return options.agent.destroy();
        https.get(urls[0], options, (answer) => answer.on("end", () => setImmediate(ask, urls.slice(1))).resume());
    };
    ask(rest);
}
