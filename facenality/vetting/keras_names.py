"""All of Keras that a configuration may name: it computes, and does nothing else.

Read off Keras 3.15, without the layers that carry code and whatever reads files, opens
connections or only helps in training. A test compares it with the installed Keras.
"""

from .keras_ops import OPERATIONS

_CLASSES = {
    "keras": """
        DTypePolicy FloatDTypePolicy Model Sequential
    """,
    "keras.models": """
        Model Sequential
    """,
    "keras.layers": """
        Activation ActivityRegularization AdaptiveAveragePooling1D
        AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
        AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout
        Attention AugMix AutoContrast Average AveragePooling1D AveragePooling2D
        AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop
        Concatenate ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose
        Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D
        Cropping1D Cropping2D Cropping3D CutMix Dense DepthwiseConv1D DepthwiseConv2D
        Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU
        GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D
        GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D
        GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention
        HashedCrossing Hashing Identity InputLayer IntegerLookup LSTM LSTMCell
        LayerNormalization LeakyReLU Masking MaxNumBoundingBoxes MaxPooling1D
        MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum MixUp
        MultiHeadAttention Multiply Normalization PReLU Permute Pipeline
        RMSNormalization RNN RandAugment RandomBrightness RandomColorDegeneration
        RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing
        RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
        RandomPerspective RandomPosterization RandomRotation RandomSaturation
        RandomSharpness RandomShear RandomTranslation RandomZoom ReLU RepeatVector
        Rescaling Reshape Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D
        SeparableConv2D SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D
        SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells
        StringLookup Subtract TextVectorization TimeDistributed UnitNormalization
        UpSampling1D UpSampling2D UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D
        ZeroPadding3D
    """,
    "keras._legacy.layers": """
        AlphaDropout RandomHeight RandomWidth ThresholdedReLU
    """,
    "keras.src.models.functional": """
        Functional
    """,
    "keras.src.applications.convnext": """
        LayerScale StochasticDepth
    """,
    "keras.src.applications.inception_resnet_v2": """
        CustomScaleLayer
    """,
    "keras.src.layers.rnn.conv_lstm": """
        ConvLSTMCell
    """,
    "keras.src.activations.activations": """
        Mish ReLU
    """,
    "keras.initializers": """
        Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal
        LecunUniform Ones Orthogonal RandomNormal RandomUniform STFT TruncatedNormal
        VarianceScaling Zeros
    """,
    "keras.regularizers": """
        L1 L1L2 L2 OrthogonalRegularizer
    """,
    "keras.constraints": """
        MaxNorm MinMaxNorm NonNeg UnitNorm
    """,
    "keras.dtype_policies": """
        AWQDTypePolicy DTypePolicy DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy
        Int4DTypePolicy QuantizedDTypePolicy QuantizedFloat8DTypePolicy
    """,
    "keras.quantizers": """
        AWQConfig AbsMaxQuantizer Float8QuantizationConfig GPTQConfig
        Int4QuantizationConfig Int8QuantizationConfig QuantizationConfig
    """,
    "keras.src.quantizers.quantizers": """
        FakeQuantWithMinMaxVars
    """,
    "keras.random": """
        SeedGenerator
    """,
    "keras.losses": """
        BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy
        CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge
        Circle CosineSimilarity Dice Hinge Huber KLDivergence LogCosh MeanAbsoluteError
        MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
        SparseCategoricalCrossentropy SquaredHinge Tversky
    """,
    "keras.metrics": """
        AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy
        CategoricalCrossentropy CategoricalHinge ConcordanceCorrelation CosineSimilarity
        F1Score FBetaScore FalseNegatives FalsePositives Hinge IoU KLDivergence
        LogCoshError Mean MeanAbsoluteError MeanAbsolutePercentageError MeanIoU
        MeanMetricWrapper MeanSquaredError MeanSquaredLogarithmicError OneHotIoU
        OneHotMeanIoU PearsonCorrelation Poisson Precision PrecisionAtRecall R2Score
        Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity
        SparseCategoricalAccuracy SparseCategoricalCrossentropy
        SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge Sum
        TopKCategoricalAccuracy TrueNegatives TruePositives
    """,
    "keras.optimizers": """
        Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer
        MultiOptimizer Muon Nadam RMSprop SGD ScheduleFreeAdamW
    """,
    "keras.optimizers.schedules": """
        CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay
        PiecewiseConstantDecay PolynomialDecay
    """,
}

CLASSES = {
    module: frozenset(names.split())
    for module, names in (_CLASSES | OPERATIONS).items()
}
"""Class names by the module that a configuration gives for them."""

BARE = (
    CLASSES["keras"]
    | CLASSES["keras.layers"]
    | CLASSES["keras._legacy.layers"]
    | CLASSES["keras.src.models.functional"]
    | CLASSES["keras.initializers"]
    | CLASSES["keras.regularizers"]
    | CLASSES["keras.constraints"]
    | {"GroupedQueryAttention"}  # which is exported as GroupQueryAttention
)
"""Class names that old .h5 files give without a module."""

_FUNCTIONS = """
    binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
    categorical_crossentropy categorical_focal_crossentropy
    categorical_generalized_cross_entropy categorical_hinge celu circle
    concordance_correlation cosine_similarity ctc dice elu exponential gelu glu
    hard_shrink hard_sigmoid hard_silu hard_tanh hinge huber kl_divergence leaky_relu
    linear log_cosh log_sigmoid log_softmax mean_absolute_error
    mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error
    mish pearson_correlation poisson relu relu6 selu sigmoid silu soft_shrink softmax
    softplus softsign sparse_categorical_accuracy sparse_categorical_crossentropy
    sparse_plus sparse_sigmoid sparse_top_k_categorical_accuracy sparsemax squared_hinge
    squareplus tanh tanh_shrink threshold top_k_categorical_accuracy tversky
"""

FUNCTIONS = frozenset(_FUNCTIONS.split())
FUNCTION_MODULES = ("builtins", "keras.activations", "keras.losses", "keras.metrics")
