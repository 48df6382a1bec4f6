"""Which engine may run a model, and which is fastest: found out once, in a child.

    version in the folder ─ key ─▶ cache ─ verdict ─▶ engine
                                     ▲ nothing kept
                                     │
        child (its own process) ─────┘   low priority, ends with the server
          vet ─▶ load ─▶ convert ─▶ ask every engine the same ─▶ compare, time

Importing TensorFlow costs 600 MB and cannot be undone, so engines are compared where it
does not stay. What came out is kept by content: with it, the serving process opens the
converted model alone and never sees the file, TensorFlow or Keras.
"""
