// What the build makes of files that are not code.
declare module '*.css';
declare module '*.json?raw' {
  const text: string;
  export default text;
}
