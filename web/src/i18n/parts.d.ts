// A part of a language's file: see first.ts.
declare module '*?first' {
  export const first: typeof import('./en').first;
}
declare module '*?rest' {
  export const rest: typeof import('./en').rest;
}
