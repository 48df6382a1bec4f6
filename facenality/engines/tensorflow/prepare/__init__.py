"""Model files that a child process opens, freezes and hands over as a graph.

Files of Keras 2 are opened by Keras 2 (tf-keras), which would not share a process with
Keras 3; Lambda layers, where a card allows them, run their code away from the server.

    process ─ starts ▶ __main__ ─▶ child     Keras opens the file, TensorFlow traces it
            ◀─ graph.pb, or saved_model/, and spec.json in a temporary folder
"""
