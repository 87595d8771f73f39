// What the GitHub tests need of GitHub's own descriptions.
//
//   node contract.mjs trim        writes openapi.json: the description as JSON schemas, without prose
//   node contract.mjs check FILE  FILE holds one {query, variables, data} a line; each query must be valid
//                                 under GitHub's GraphQL schema and each answer one that it allows
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [job, file] = process.argv.slice(2);

/** OpenAPI 3.0 as a JSON schema: `nullable` becomes a type, prose and examples go. */
function schema(node) {
  if (Array.isArray(node)) return node.map(schema);
  if (node === null || typeof node !== 'object') return node;
  const out = {};
  for (const [key, value] of Object.entries(node)) {
    if (['description', 'example', 'examples', 'externalDocs', 'x-github', 'deprecated', 'title', 'nullable', 'discriminator', 'default'].includes(key)
        && !(typeof value === 'object' && value !== null && ('type' in value || '$ref' in value || 'anyOf' in value || 'oneOf' in value || 'allOf' in value))) continue;
    out[key] = schema(value);
  }
  return node.nullable === true ? { anyOf: [{ type: 'null' }, out] } : out;
}

function trim() {
  const source = JSON.parse(readFileSync(require.resolve('@octokit/openapi/generated/api.github.com.json'), 'utf8'));
  const json = (content) => content?.['application/json']?.schema;
  const follow = (node) => node?.$ref ? node.$ref.slice(2).split('/').reduce((at, part) => at[part], source) : node;
  const paths = {};
  for (const [path, item] of Object.entries(source.paths)) {
    paths[path] = {};
    for (const [method, operation] of Object.entries(item)) {
      const responses = {};
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        const body = json(follow(response).content);
        responses[status] = body === undefined ? null : schema(body);
      }
      const query = (operation.parameters ?? []).map(follow).filter((one) => one.in === 'query')
        .map((one) => ({ name: one.name, required: one.required === true, schema: schema(one.schema) }));
      const body = json(follow(operation.requestBody)?.content);
      paths[path][method] = { responses, query, body: body === undefined ? null : schema(body) };
    }
  }
  const schemas = {};
  for (const [name, one] of Object.entries(source.components.schemas)) schemas[name] = schema(one);
  writeFileSync('openapi.json', JSON.stringify({ paths, components: { schemas } }));
  const examples = require('@octokit/webhooks-examples');
  const list = examples.default ?? examples;
  writeFileSync('webhooks.json', JSON.stringify(list.flatMap((one) => one.examples.map((payload) => ({ name: one.name, payload })))));
}

async function check() {
  const { buildSchema, parse, validate, execute, GraphQLError } = require('graphql');
  const text = readFileSync(new URL('node_modules/@octokit/graphql-schema/schema.graphql', import.meta.url), 'utf8');
  const github = buildSchema(text, { assumeValidSDL: true });
  let problems = 0;
  let count = 0;
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const { query, variables, data } = JSON.parse(line);
    const document = parse(query);
    const found = [...validate(github, document)];
    if (found.length === 0 && data) {
      const result = await execute({
        schema: github, document, rootValue: data, variableValues: variables,
        fieldResolver: (parent, _arguments, _context, info) => {
          const value = parent[info.path.key];
          if (value === undefined) throw new GraphQLError(`the answer lacks ${info.parentType}.${info.fieldName}`);
          return value;
        },
        typeResolver: (value) => value.__typename,
      });
      found.push(...(result.errors ?? []));
    }
    count += 1;
    for (const error of found) {
      problems += 1;
      console.error(`${document.definitions[0].name?.value}: ${error.message}`);
    }
  }
  console.log(`${count} queries checked, ${problems} problems`);
  process.exit(problems === 0 && count > 0 ? 0 : 1);
}

if (job === 'trim') trim();
else if (job === 'check') await check();
else { console.error('usage: contract.mjs trim | check FILE'); process.exit(2); }
