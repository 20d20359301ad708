// An identity provider (OpenID Connect) of a few people, on this machine: it signs in whoever
// the address names that came along, as somebody would who is signed in there already.
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const coded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class Provider {
  #server;
  #codes = new Map();
  #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  /** Who has an account there, by address: {sub, name, groups}. */
  people = {};
  client = { id: 'tidings', secret: randomBytes(16).toString('hex'), redirect: '' };

  async start() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.host = `127.0.0.1:${this.#server.address().port}`;
    this.issuer = `http://${this.host}`;
  }

  stop() {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.issuer);
    const json = (body, status = 200) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/keys`,
          id_token_signing_alg_values_supported: ['RS256'],
          code_challenge_methods_supported: ['S256'],
        });
      case '/keys': {
        const key = this.#keys.publicKey.export({ format: 'jwk' });
        return json({ keys: [{ ...key, kid: 'one', alg: 'RS256', use: 'sig' }] });
      }
      case '/authorize':
        return response.writeHead(303, { Location: this.#authorize(url.searchParams) }).end();
      case '/token': {
        let body = '';
        for await (const part of request) body += part;
        const { error, ...tokens } = this.#token(new URLSearchParams(body), request.headers);
        return error ? json({ error }, error === 'invalid_client' ? 401 : 400) : json(tokens);
      }
      default:
        return response.writeHead(404).end();
    }
  }

  #authorize(query) {
    const redirect = query.get('redirect_uri');
    if (redirect !== this.client.redirect) throw new Error(`not registered: ${redirect}`);
    const back = new URL(redirect);
    back.searchParams.set('state', query.get('state'));
    const person = this.people[query.get('login_hint')];
    if (!person || query.get('client_id') !== this.client.id) {
      back.searchParams.set('error', 'access_denied');
      return back.href;
    }
    const code = randomBytes(16).toString('hex');
    const email = query.get('login_hint');
    const challenge = query.get('code_challenge');
    this.#codes.set(code, { ...person, email, challenge, nonce: query.get('nonce') });
    back.searchParams.set('code', code);
    return back.href;
  }

  #token(form, { authorization = '' }) {
    const [id, secret] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':');
    const known = (i, s) => i === this.client.id && s === this.client.secret;
    if (!known(id, secret) && !known(form.get('client_id'), form.get('client_secret')))
      return { error: 'invalid_client' };
    const given = this.#codes.get(form.get('code'));
    this.#codes.delete(form.get('code'));
    const verifier = form.get('code_verifier') ?? '';
    const shown = createHash('sha256').update(verifier).digest('base64url');
    if (!given || shown !== given.challenge) return { error: 'invalid_grant' };
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      ...{ iss: this.issuer, aud: this.client.id, sub: given.sub, nonce: given.nonce },
      ...{ iat: now, auth_time: now, exp: now + 600 },
      ...{ email: given.email, email_verified: true, name: given.name, groups: given.groups },
    };
    const text = `${coded({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${coded(claims)}`;
    const sign = createSign('RSA-SHA256').update(text).sign(this.#keys.privateKey, 'base64url');
    return {
      ...{ access_token: randomBytes(16).toString('hex'), token_type: 'Bearer', expires_in: 600 },
      id_token: `${text}.${sign}`,
    };
  }
}
