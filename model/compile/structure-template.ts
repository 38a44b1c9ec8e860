/** Arrays and objects with the position of a leaf in the place of each. */
export type StructureTemplate = number | readonly StructureTemplate[] | {readonly [name: string]: StructureTemplate};
