// Uses every operation through the types that openapi-typescript generated into api.d.ts, and prints their names.
//
//     node use-client.js ADDRESS WORDS_ADDRESS PICTURE SHA256

import { deepStrictEqual, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];
type Answer<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

const [address = "", wordsAddress = "", picture = "", sha256 = ""] = process.argv.slice(2);
const query = "neonoir";
const client = createClient<paths>({ baseUrl: address });
const used: (keyof operations)[] = [];

/** Returns the data of an answer, which must be a 200. */
async function good<T>(name: keyof operations, answer: Answer<T>): Promise<T> {
  const { data, error, response } = await answer;
  ok(response.status === 200 && data !== undefined, `${name}: ${response.status} ${JSON.stringify(error)}`);
  used.push(name);
  return data;
}

/** Expects a problem of a kind. */
async function refused(status: number, kind: string, answer: Promise<{ error?: Problem; response: Response }>) {
  const { error, response } = await answer;
  deepStrictEqual([response.status, error?.status], [status, status]);
  deepStrictEqual(error?.type, `urn:problem-type:steam-dino:${kind}`);
}

/** A body with a picture: the types have a string for bytes, and the form takes the file itself. */
function upload(content: Uint8Array<ArrayBuffer>) {
  return {
    body: { picture: "" },
    bodySerializer: () => {
      const form = new FormData();
      form.set("picture", new Blob([content], { type: "image/png" }), "draft.png");
      return form;
    },
  };
}

const file = new Uint8Array(readFileSync(picture));

const info = await good("serverInfo", client.GET("/api/v1/info"));
ok(info.games > 400 && info.recipes[0]?.edition);
const named = await good("findGames", client.GET("/api/v1/games", { params: { query: { q: "neo", k: 3 } } }));
deepStrictEqual(named.games[0]?.id, query);
await good("randomGame", client.GET("/api/v1/games/random", { params: { query: { tag: ["noir"] } } }));
const own = await good("getGame", client.GET("/api/v1/games/{game_id}", { params: { path: { game_id: query } } }));
deepStrictEqual(own.name, "Neonoir");

const similar = (more: { offset?: number; edition?: string }) =>
  client.GET("/api/v1/games/{game_id}/similar", {
    params: { path: { game_id: query }, query: { k: 5, min_similarity: 0.2, ...more } },
  });
const first = await good("similarGames", similar({}));
const second = await good("similarGames", similar({ offset: 5, edition: first.edition }));
deepStrictEqual(
  [...first.matches, ...second.matches].map((match) => match.rank),
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
);
ok(first.next?.includes(`edition=${first.edition}`));
const sent = await good(
  "similarToPicture",
  client.POST("/api/v1/similar", { params: { query: { k: 1 } }, ...upload(file) }),
);
deepStrictEqual([sent.matches[0]?.id, sent.query.kind], [query, "picture"]);
const url = "http://pictures.example/x.png";
const fetched = await good("similarToAddress", client.GET("/api/v1/similar", { params: { query: { url, k: 1 } } }));
deepStrictEqual(fetched.matches[0]?.id, query);
const sentence = { params: { query: { q: "a cat", k: 2 } } };
if (wordsAddress === address) {
  // No model that knows words is there.
  await refused(400, "invalid-recipe", client.GET("/api/v1/text", sentence));
  used.push("gamesMatchingWords");
} else {
  const words = createClient<paths>({ baseUrl: wordsAddress });
  const worded = await good("gamesMatchingWords", words.GET("/api/v1/text", sentence));
  deepStrictEqual([worded.matches.length, worded.query.kind], [2, "words"]);
}

const unique = await good("uniqueGames", client.GET("/api/v1/unique", { params: { query: { k: 2 } } }));
ok((unique.games[0]?.closest?.similarity ?? 1) < 1);
const groups = await good("duplicateBanners", client.GET("/api/v1/duplicates", { params: { query: { k: 2, tier: "near" } } }));
deepStrictEqual(groups.groups[0]?.tier, "near");
const changes = await good(
  "listChanges",
  client.GET("/api/v1/changes", { params: { query: { since: "2000-01-01" } } }),
);
ok((changes.imports[0]?.games ?? 0) > 400);
ok((await good("changesFeed", client.GET("/changes.atom", { parseAs: "text" }))).includes("<feed"));
const why = await good(
  "explainMatch",
  client.GET("/api/v1/explain", { params: { query: { a: query, b: "hollow-avenue" } } }),
);
const regions = Object.values(why.pictures[0]?.regions ?? {});
ok(Math.abs(regions.reduce((sum, one) => sum + one, 0) - why.similarity) < 1e-3);
const audit = await good(
  "auditDraft",
  client.POST("/api/v1/audit", { params: { query: { tag: ["Horror"] } }, ...upload(file) }),
);
deepStrictEqual([audit.taken, ...audit.standings.map((one) => one.tag)], [true, null, "Horror"]);

const banners = [
  await good(
    "getBanner",
    client.GET("/banners/{width}/{game_id}", {
      params: { path: { width: 150, game_id: query } },
      parseAs: "arrayBuffer",
    }),
  ),
  await good(
    "getEarlierBanner",
    client.GET("/changes/pictures/{width}/{sha256}", {
      params: { path: { width: 150, sha256 } },
      parseAs: "arrayBuffer",
    }),
  ),
];
for (const banner of banners) {
  deepStrictEqual([...new Uint8Array(banner).slice(0, 2)], [0xff, 0xd8]);
}
ok((await good("robots", client.GET("/robots.txt", { parseAs: "text" }))).includes("Disallow"));
deepStrictEqual(await good("health", client.GET("/healthz", { parseAs: "text" })), "ok\n");
deepStrictEqual(await good("readiness", client.GET("/readyz", { parseAs: "text" })), "ready\n");
ok((await good("metrics", client.GET("/metrics", { parseAs: "text" }))).includes("steamdino_requests_total"));

const byId = { params: { query: { id: query } } };
const byName = { params: { query: { name: "Neonoir" } } };
const index = await good("legacyIndexFromId", client.GET("/index_from_id", byId));
const at = { params: { query: { index } } };
deepStrictEqual(await good("legacyIndexFromName", client.GET("/index_from_name", byName)), index);
deepStrictEqual(await good("legacyIndex", client.GET("/index", at)), String(index));
deepStrictEqual(await good("legacyId", client.GET("/id", at)), query);
deepStrictEqual(await good("legacyIdFromName", client.GET("/id_from_name", byName)), query);
deepStrictEqual(await good("legacyName", client.GET("/name", at)), "Neonoir");
deepStrictEqual(await good("legacyNameFromId", client.GET("/name_from_id", byId)), "Neonoir");
deepStrictEqual((await good("legacyApp", client.GET("/app", at))).index, index);
deepStrictEqual((await good("legacyAppFromId", client.GET("/app_from_id", byId))).index, index);
deepStrictEqual((await good("legacyAppFromName", client.GET("/app_from_name", byName))).index, index);
const n = 3;
deepStrictEqual((await good("legacyMatches", client.GET("/matches", { params: { query: { index, n } } })))[0], index);
for (const apps of [
  await good("legacySimilarApps", client.GET("/similar_apps", { params: { query: { index, n } } })),
  await good(
    "legacySimilarAppsFromId",
    client.GET("/similar_apps_from_id", { params: { query: { id: query, n } } }),
  ),
  await good(
    "legacySimilarAppsFromName",
    client.GET("/similar_apps_from_name", { params: { query: { name: "Neonoir", n } } }),
  ),
]) {
  deepStrictEqual(apps.length, 3);
}

const missing = { params: { path: { game_id: "no-such-game" } } };
await refused(404, "not-found", client.GET("/api/v1/games/{game_id}", missing));
await refused(422, "invalid-parameter", client.GET("/api/v1/games", { params: { query: { k: 0 } } }));
await refused(400, "invalid-request", client.GET("/api/v1/games", { params: { query: { released: "soon" } } }));
const gone = { params: { query: { edition: "0123456789abcdef" } } };
await refused(410, "edition-gone", client.GET("/api/v1/games", gone));
const text = new TextEncoder().encode("no picture");
await refused(422, "unreadable-picture", client.POST("/api/v1/similar", upload(text)));
console.log(JSON.stringify(used));
