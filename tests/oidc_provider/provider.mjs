// A real OpenID Connect provider for the tests, on loopback: npm's oidc-provider with a login form and invented people.
// Started by tests/oidc_provider.py with its options as JSON in the first argument; "rotate" on stdin gives it a new signing key.
import http from "node:http";
import { createRequire } from "node:module";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const options = JSON.parse(process.argv[2]);
console.info = console.warn = () => {}; // the provider's advice to those who run it for real
const load = (name) => import(pathToFileURL(createRequire(options.modules + "/").resolve(name)));
const { exportJWK, generateKeyPair, SignJWT, decodeJwt, importJWK, UnsecuredJWT } = await load("jose");
const { default: Provider, interactionPolicy } = await load("oidc-provider");

let turns = 0;
const fresh = async () => {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  turns += 1;
  return { ...(await exportJWK(privateKey)), kid: `key-${turns}`, alg: "RS256", use: "sig" };
};

const prompts = () => {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: "select_account", requestable: true }), 0);
  return policy;
};

const formOf = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
};

// What an ID token is bent into for the people whose token is to be refused; `by` "stranger" signs with a key nobody published.
const bent = async (token, { claims = {}, by = "" }, jwk) => {
  const now = Math.floor(Date.now() / 1000);
  const told = { ...decodeJwt(token), ...claims };
  for (const name of Object.keys(claims)) if (claims[name] === null) delete told[name];
  for (const name of ["exp", "iat", "nbf"]) if (claims[name]) told[name] = now + claims[name];
  if (by === "none") return new UnsecuredJWT(told).encode();
  if (by === "secret") {
    return new SignJWT(told).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(options.client.client_secret));
  }
  const key = by === "stranger" ? { ...(await fresh()), kid: jwk.kid } : jwk;
  return new SignJWT(told).setProtectedHeader({ alg: "RS256", kid: key.kid }).sign(await importJWK(key, "RS256"));
};

const make = async () => {
  const jwk = await fresh();
  const provider = new Provider(options.issuer, {
    clients: [options.client],
    jwks: { keys: [jwk] },
    cookies: { keys: ["only for tests"] },
    features: { devInteractions: { enabled: false } },
    conformIdTokenClaims: false,
    claims: { openid: ["sub", "amr"], email: ["email", "email_verified", "hd", "tid", "acct", "preferred_username"] },
    interactions: { policy: prompts(), url: (_, interaction) => `/login/${interaction.uid}` },
    findAccount: (_, id) => options.people[id] && { accountId: id, claims: async () => ({ sub: id, ...options.people[id].claims }) },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith("/login/") && ctx.method === "GET") {
      ctx.type = "html";
      ctx.body = `<!doctype html><title>Practice provider</title><form method="post"><label>Name <input name="who"></label>
        <button name="go" value="on">Sign in</button><button name="go" value="away">No, thanks</button></form>`;
    } else if (ctx.path.startsWith("/login/")) {
      const form = await formOf(ctx.req);
      const who = form.get("who");
      const amr = options.people[who].claims.amr ?? undefined;
      const result =
        form.get("go") === "away" ? { error: "access_denied" } : { login: { accountId: who, amr }, select_account: {} };
      await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
      ctx.respond = false;
    } else {
      await next();
      if (ctx.path === "/token" && ctx.body?.id_token) {
        const twist = options.people[decodeJwt(ctx.body.id_token).sub].twist;
        if (twist) ctx.body.id_token = await bent(ctx.body.id_token, twist, jwk);
      }
    }
  });
  return provider.callback();
};

let answer;
const server = http.createServer((request, response) => answer(request, response));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
options.issuer = `http://127.0.0.1:${server.address().port}`;
answer = await make();
console.log(options.issuer);
readline.createInterface({ input: process.stdin }).on("line", async () => {
  answer = await make();
  console.log("rotated");
}).on("close", () => process.exit(0));
