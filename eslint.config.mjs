import tseslint from 'typescript-eslint';

/** The layers of docs/architecture.md: what each folder may import. Arrows point downwards only. */
const layers = ['cli', 'components', 'policy', 'jobs', 'engines', 'core'];
const allowed = {
  core: [],
  engines: ['core'],
  jobs: ['core', 'engines'],
  cli: ['core', 'jobs'],
  policy: ['core', 'jobs'],
  components: ['core', 'jobs'],
};

const layerRules = Object.entries(allowed).map(([layer, below]) => {
  const forbidden = layers.filter(other => other !== layer && !below.includes(other));
  const patterns = [
    {
      regex: `^(\\.\\./)+(${forbidden.join('|')})(/|$)`,
      message: `${layer}/ may import ${below.length ? below.join(', ') : 'nothing of the others'}: arrows point downwards only (docs/architecture.md).`,
    },
  ];
  if (layer !== 'components' && layer !== 'policy')
    patterns.push({
      regex: '^@pulumi/',
      message: 'Only components/, policy/ and index.ts import Pulumi (docs/architecture.md).',
    });
  if (layer === 'core')
    patterns.push({
      regex:
        '^(node:)?(fs|fs/promises|child_process|net|http|https|os|dns|tls|worker_threads|readline|dgram)$',
      message: 'core/ is pure: no input or output.',
    });
  return { files: [`${layer}/**/*.ts`], rules: { 'no-restricted-imports': ['error', { patterns }] } };
});

/** A cluster's machine may have Node.js 18 (docs/configuration.md), which the types don't know. */
const newerThanNode18 = {
  files: [...layers.filter(layer => layer !== 'components' && layer !== 'policy'), 'toolchain'].map(
    folder => `${folder}/**/*.ts`,
  ),
  rules: {
    'no-restricted-syntax': [
      'error',
      {
        selector:
          'MemberExpression[property.name=/^(toReversed|toSorted|toSpliced|withResolvers|groupBy|fromAsync|parentPath)$/]',
        message: 'Node.js 18 has no such thing.',
      },
      {
        selector: 'MemberExpression[object.name="AbortSignal"][property.name="any"]',
        message: 'Node.js 18 has no AbortSignal.any.',
      },
    ],
  },
};

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', 'coverage/**', 'toolchain/cmd/**'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  ...layerRules,
  newerThanNode18,
  {
    files: ['tests/**/*.ts', 'bench/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', 'no-console': 'off' },
  },
  { files: ['**/*.{js,mjs}'], extends: [tseslint.configs.disableTypeChecked] },
);
