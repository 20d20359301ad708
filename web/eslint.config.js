import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['dist/', 'test-results/', 'src/api/schema.d.ts'] },
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      // The page is one route; its links are to itself.
      'svelte/no-navigation-without-resolve': 'off',
      // State here is raw: maps and sets are replaced as a whole, never changed.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
);
