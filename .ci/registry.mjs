// A registry with one package of our own, FILE.tgz, that hands everything else on to npm's: what others get once it is published.
// usage: node .ci/registry.mjs FILE.tgz; prints its address.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [file] = process.argv.slice(2);
const archive = readFileSync(file);
const inside = (name) => execFileSync('tar', ['xzOf', file, `package/${name}`], { encoding: 'utf8' });
const manifest = JSON.parse(inside('package.json'));
const { name, version } = manifest;
// A registry says so of a package that holds one; tar fails where it does not.
JSON.parse(inside('npm-shrinkwrap.json'));
const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();

const server = createServer(async (request, response) => {
  const here = `http://${request.headers.host}`;
  if (request.url === `/${name}.tgz`) return response.end(archive);
  if (request.url === `/${name}`) {
    const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
    const dist = { tarball: `${here}/${name}.tgz`, integrity };
    const versions = { [version]: { ...manifest, _hasShrinkwrap: true, dist } };
    return response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }));
  }
  try {
    const { accept } = request.headers;
    const answer = await fetch(new URL(request.url, upstream), { headers: accept ? { accept } : {} });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  } catch (error) {
    response.writeHead(502).end(String(error));
  }
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
