// Serves the answers that @octokit/fixtures has recorded, by its own server: node recorded.mjs PORT FIXTURES-FOLDER
// (the program that comes with the server names a file that is not there).
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

const [port, folder] = process.argv.slice(2);
const modules = createRequire(pathToFileURL(join(process.env.DATUM_NODE_MODULES, "x.js")));
const load = (name) => import(pathToFileURL(modules.resolve(name)));
const express = (await load("express")).default;
const server = (await load("@octokit/fixtures-server")).default;
const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
const read = (file) => [basename(file, ".json"), JSON.parse(readFileSync(join(folder, file), "utf8"))];
const fixtures = Object.fromEntries(files.map(read));
const app = express();
app.use(server({ port, fixturesUrl: `http://127.0.0.1:${port}`, logLevel: "silent", ttl: 60000, fixtures }));
app.listen(Number(port), "127.0.0.1");
