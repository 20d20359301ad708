// Shows the OpenAPI document of this server. It asks nothing of any other host
// and writes text alone into the page, never markup.

const methods = ['get', 'post', 'put', 'delete'];

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

function resolve(api, schema) {
  const path = schema?.$ref?.replace('#/', '').split('/');
  return path ? path.reduce((at, part) => at[part], api) : schema;
}

function typeOf(api, schema) {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.oneOf) return schema.oneOf.map((one) => typeOf(api, one)).join(' or ');
  const types = [schema.type ?? 'anything'].flat();
  const text = types.map((type) => (type === 'array' ? `list of ${typeOf(api, schema.items)}` : type)).join(' or ');
  const choices = (schema.enum ?? schema.items?.enum)?.filter((choice) => choice !== null);
  return choices ? `${text}: ${choices.join(', ')}` : text;
}

function bounds(schema) {
  const parts = [];
  if (schema.default !== undefined) parts.push(`default ${schema.default}`);
  if (schema.minimum !== undefined) parts.push(`at least ${schema.minimum}`);
  if (schema.maximum !== undefined) parts.push(`at most ${schema.maximum}`);
  if (schema.maxLength !== undefined) parts.push(`at most ${schema.maxLength} characters`);
  return parts.join(', ');
}

function table(rows) {
  const body = rows.map(([name, type, text]) => element('tr', {},
    element('td', {}, element('code', {}, name)), element('td', {}, type), element('td', { class: 'soft' }, text)));
  const head = element('tr', {}, ...['Name', 'Type', 'Meaning'].map((text) => element('th', { scope: 'col' }, text)));
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...body));
}

function fields(api, schema) {
  const object = resolve(api, schema);
  const rows = Object.entries(object?.properties ?? {}).map(([name, field]) => {
    const needed = object.required?.includes(name) ? '' : 'optional. ';
    return [name, typeOf(api, field), needed + [field.description, bounds(field)].filter(Boolean).join('; ')];
  });
  return rows.length ? table(rows) : element('p', { class: 'soft' }, typeOf(api, schema));
}

function content(api, types) {
  return Object.entries(types ?? {}).flatMap(([type, { schema }]) => {
    const shown = schema.oneOf?.[0] ?? schema;
    return [element('p', {}, element('code', {}, type), ` ${typeOf(api, schema)}`), fields(api, shown)];
  });
}

function call(api, path, method, operation) {
  const parameters = (operation.parameters ?? []).map((p) => [
    p.name, typeOf(api, p.schema), [`${p.in}${p.required ? ', required' : ''}`, p.description, bounds(p.schema)].filter(Boolean).join('; '),
  ]);
  const answers = Object.entries(operation.responses ?? {}).map(([status, answer]) => element('details', {},
    element('summary', {}, element('code', {}, status), ` ${answer.description ?? ''}`), ...content(api, answer.content)));
  const title = element('h3', {}, element('span', { class: 'method' }, method.toUpperCase()), ' ', element('code', {}, path));
  return element('article', { id: operation.operationId }, title,
    element('p', {}, operation.summary ?? ''),
    operation.description ? element('p', { class: 'soft' }, operation.description) : null,
    ...(parameters.length ? [element('h4', {}, 'Parameters'), table(parameters)] : []),
    ...(operation.requestBody ? [element('h4', {}, 'Body'), ...content(api, operation.requestBody.content)] : []),
    element('h4', {}, 'Answers'), ...answers);
}

function show(api) {
  const groups = new Map((api.tags ?? []).map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of methods.filter((name) => item[name])) {
      const group = item[method].tags?.[0] ?? 'Other';
      groups.set(group, [...(groups.get(group) ?? []), [path, method, item[method]]]);
    }
  }
  const main = document.getElementById('calls');
  main.replaceChildren(element('h1', {}, `${api.info.title} ${api.info.version}`), element('p', { class: 'soft' }, api.info.description ?? ''));
  const contents = document.getElementById('contents');
  contents.replaceChildren(element('a', { href: '/openapi.json' }, 'openapi.json'));
  for (const [group, calls] of [...groups].filter(([, all]) => all.length)) {
    contents.append(element('h2', {}, group));
    main.append(element('h2', {}, group));
    for (const [path, method, operation] of calls) {
      const label = element('span', { class: 'method' }, method.toUpperCase());
      contents.append(element('a', { href: `#${operation.operationId}` }, label, path.replace('/v1', '')));
      main.append(call(api, path, method, operation));
    }
  }
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

try {
  const answer = await fetch('/openapi.json');
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  show(await answer.json());
} catch (error) {
  document.getElementById('calls').replaceChildren(element('p', {}, `The document could not be read: ${error.message}`));
}
