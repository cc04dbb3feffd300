"""What is asked: scenario files, and the Cases made of them.

document                     keys of a file, their types, limits, JSON Schema
limits                       what files may ask for
load                         a file -> Scenario, or all its faults
layers  sizes                layers as one list, and all arrays; who says how long each axis is
checks  together  values     what does not fit; keys beside each other; numbers out of range
places  wording              line and column of a key; complaints in our words
data  table  draw            .npy files; CSV; the frozen random stream
cases  arrays                Case; its arrays
collection  folder  locked   paths -> Cases; what folders hold; files held against locks
manifest                     what was locked, as a file
write                        a file to start from, or of one problem
"""
