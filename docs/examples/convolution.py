from eyespot.playground.convolution import Window, convolve, pixel, pool
from eyespot.playground.convolution_costs import compare_separable, costs
from eyespot.playground.kernels import KERNELS

image = [[0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9]]
sobel = KERNELS["Sobel x"].values
print(convolve(image, sobel))  # [[36. 36.] [36. 36.]]
print(pixel(image, sobel, row=0, column=0).text)  # 0 * (-1) + 0 * 0 + 9 * 1 + ... = 36
print(pool(image, "max", 2))  # [[0. 9.] [0. 9.]]

layer = costs(maps=1, height=32, width=32, filters=6, window=Window(5, 5))
print(layer.output, layer.sizes)
print(layer.weights.text)  # 6 filters * 1 map * 5 * 5 = 150 weights
print(layer.connections.text)  # 28 * 28 pixels * (150 weights + 6 biases) = 122,304 connections
twin = compare_separable(maps=512, height=14, width=14, filters=512, window=Window(3, 3, padding=1))
print(twin.weights.text)  # 4,608 depthwise + 262,144 pointwise = 266,752 weights
print(twin.text)  # 1/N + 1/k^2 = 1/512 + 1/9 = 0.1131 of the standard convolution's
