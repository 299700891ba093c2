/** Names of the files on the stick. */
export const stickFiles = {
  bundle: 'bundle.json',
  readme: 'README.txt',
  request: 'request.json',
  answer: 'answer.json',
} as const;
