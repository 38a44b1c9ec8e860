/** Names of folders that belong to an installation under way start with this. */
export const unfinishedPrefix = '.installing-';
