import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';
import { describe, expect, test } from 'vitest';
import * as de from './de';
import * as en from './en';
import { toolsOf } from './tools';

const root = join(import.meta.dirname, '..');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(svelte|ts)$/.test(name) && !/^i18n|\.test\.ts$|schema\.d\.ts$/.test(name))
  .map((name) => ({ name, source: readFileSync(join(root, name), 'utf8') }));

/** Attributes that are shown or read out, and those of our components that become such. */
const shown =
  /^(aria-label|aria-description|title|alt|placeholder|label|note|sure|what|about|later)$/;
/** What is the same in every language: names, examples, and what is typed as it stands. */
const everywhere = new Set([
  ...['Tidings', '· Tidings', '5:48 pm', 'px'],
  ...['Ana Moreira', 'crm', 'crm, newsletter', 'marketing', 'groups', 'okta', 'none'],
]);
const isExample = (text: string) => everywhere.has(text) || /^\S*[@./_:]\S*$|^GET /.test(text);

interface Node {
  type?: string;
  name?: string;
  data?: string;
  value?: unknown;
  start?: number;
}

/** spoken are the texts of a component that a reader would see or hear. */
function spoken(source: string): string[] {
  const found: string[] = [];
  const look = (node: unknown, within: string): void => {
    if (Array.isArray(node)) return node.forEach((one) => look(one, within));
    if (typeof node !== 'object' || node === null) return;
    const { type, name, data, value } = node as Node;
    if (type === 'Text' && within !== 'code' && /\p{L}/u.test(data ?? '')) {
      const text = (data ?? '').replace(/\s+/g, ' ').trim();
      if (!isExample(text)) found.push(text);
    }
    if (type === 'Attribute') {
      if (shown.test(name ?? '')) look(value, 'attribute');
      return;
    }
    const inside = type === 'RegularElement' ? (name ?? '') : within;
    for (const [key, child] of Object.entries(node))
      if (key !== 'name_loc' && key !== 'loc') look(child, inside);
  };
  look(parse(source, { modern: true }).fragment, '');
  return found;
}

describe('what the page says', () => {
  test.each(files.filter(({ name }) => name.endsWith('.svelte')))(
    'is in the catalogue: $name',
    ({ source }) => {
      expect(spoken(source)).toEqual([]);
    },
  );

  test('is found where a component says it by itself', () => {
    const bad = '<p title="Not here">{#if x}Said <b>out</b>{/if}</p><code>--flag</code>';
    expect(spoken(bad)).toEqual(['Not here', 'Said', 'out']);
  });

  test('is in no literal of a module or a script', () => {
    // A sentence: a capital, small letters, and another word.
    const sentence = /(['"`])((?:\p{Lu}\p{Ll}+|I) (?:[^'"`$\n{}]|\$\{[^}]*\})+)\1/gu;
    const names =
      /^(Ana Moreira|Bearer \$|Mon \$|View extends|Microsoft Entra|Amazon SES|Samsung Internet|Mail Settings|Configuration sets|Tools and apps|Sending, |Connect, )/;
    const found = files.flatMap(({ name, source }) =>
      [...source.replace(/\/\*[\s\S]*?\*\/|\/\/.*|<!--[\s\S]*?-->/g, '').matchAll(sentence)]
        .map(([, , text]) => `${name}: ${text}`)
        .filter((hit) => !names.test(hit.slice(name.length + 2))),
    );
    expect(found.join('\n')).toBe('');
  });

  const tools = toolsOf('en', String);
  const parts = [
    [en.first(tools), de.first(tools)],
    [en.rest(tools), de.rest(tools)],
  ] as const;

  test('is used', () => {
    const all = files.map(({ source }) => source.replace(/\s+/g, '')).join('\n');
    const unused = parts.flatMap(([english]) =>
      Object.entries(english).flatMap(([section, said]) =>
        Object.keys(said)
          .map((key) => `t.${section}.${key}`)
          .filter((key) => !new RegExp(`${key.replaceAll('.', '\\.')}\\b`).test(all))
          .filter((key) => !(key.startsWith('t.count.') && all.includes('t.count[of]'))),
      ),
    );
    // Taken apart where it is read.
    expect(unused.filter((key) => key !== 't.words.out').join(' ')).toBe('');
  });

  test('has a word for each state of a delivery and of an endpoint', () => {
    interface Document {
      components: {
        schemas: {
          DeliveryView: { properties: { state: { enum: string[] } } };
          EndpointHealth: { properties: { mode: { enum: string[] } } };
        };
      };
    }
    const document = readFileSync(join(root, '../../api/openapi.json'), 'utf8');
    const { DeliveryView, EndpointHealth } = (JSON.parse(document) as Document).components.schemas;
    for (const { rest } of [en, de]) {
      const { states, modes } = rest(tools).endpoints;
      expect(Object.keys(states)).toEqual(DeliveryView.properties.state.enum);
      expect(Object.keys(modes)).toEqual(EndpointHealth.properties.mode.enum);
    }
  });

  test('has each placeholder of the English in the German', () => {
    const marks = (said: unknown): string => {
      if (typeof said !== 'function') return String(said).replace(/[^⟦⟧]/g, '');
      const names = ['§1', '§2', '§3', '§4'].slice(0, said.length);
      const text = String((said as (...args: string[]) => unknown)(...names));
      return [...text.matchAll(/§\d|[⟦⟧]/g)]
        .map(([mark]) => mark)
        .sort()
        .join('');
    };
    for (const [english, german] of parts)
      for (const [section, said] of Object.entries(english))
        for (const [key, words] of Object.entries(said))
          if (typeof words === 'string' || (typeof words === 'function' && key !== 'reason'))
            expect([section, key, marks((german as never)[section][key])]).toEqual([
              section,
              key,
              marks(words),
            ]);
  });
});
